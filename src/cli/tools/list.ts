/** `tools list`: the tools of the endpoint under their names there. */

import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { collectPages, connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface ListOptions extends RestOptions {
  readonly server?: string;
  readonly category?: string;
  readonly limit: number;
}

/** The verb `tools list`. */
export function toolsListCommand(context: CliContext): Command {
  return restCommand(
    'list',
    'List tools under the names they have in /mcp.',
    'tools list --server sqlite-3104',
  )
    .option('--server <id>', 'only of this instance')
    .option('--category <category>', 'only of this category')
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 100_000), 100_000)
    .action((options: ListOptions) => runToolsList(options, context));
}

/** The first sentence of a description; the rest is for the model. */
function firstSentence(text: string | undefined): string | undefined {
  return text?.trim().split(/(?<=\.)\s|\n/, 1)[0];
}

async function runToolsList(options: ListOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { server, category } = options;
  const items = await collectPages(options.limit, (page) =>
    client.call('toolsList', { query: { ...page, server, category } }),
  );
  if (options.json === true) {
    printJson(context, { items });
    return;
  }
  printTable(context, items, [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'SERVER', value: (tool) => tool.server },
    { title: 'DESCRIPTION', value: ({ title, description }) => firstSentence(description) ?? title },
  ]);
}
