/** `memory list`: keys of a scope in key order. */

import type { Command } from 'commander';
import { integerOption, repeated } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { collectPages, connectRest } from '../rest-command.ts';
import { inWorkspaceCommand, type InWorkspaceOptions } from './memory-command.ts';

interface ListOptions extends InWorkspaceOptions {
  readonly prefix?: string;
  readonly tag?: readonly string[];
  readonly limit: number;
}

/** The verb `memory list`. */
export function memoryListCommand(context: CliContext): Command {
  return inWorkspaceCommand(
    'list',
    'List the keys of a scope.',
    'memory list --prefix projects/ --tag decision',
  )
    .option('--prefix <prefix>', 'only keys that start so')
    .option('--tag <tag>', 'only with this label (repeatable)', repeated)
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 10_000_000), 1000)
    .action((options: ListOptions) => runMemoryList(options, context));
}

async function runMemoryList(options: ListOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { scope, prefix, tag, workspace } = options;
  const items = await collectPages(options.limit, (page) =>
    client.call('memoryList', {
      query: { ...page, scope, prefix, workspace, ...(tag && { tags: [...tag] }) },
    }),
  );
  if (options.json === true) {
    printJson(context, { items });
    return;
  }
  printTable(context, items, [
    { title: 'KEY', value: ({ key }) => key },
    { title: 'UPDATED', value: ({ updatedAt }) => updatedAt },
    { title: 'ETAG', value: ({ etag }) => etag.slice(0, 12) },
    { title: 'TAGS', value: ({ tags }) => tags.join(', ') },
  ]);
}
