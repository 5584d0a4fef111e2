/** `servers history`: which servers came, changed or went, and why. */

import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface HistoryOptions extends RestOptions {
  readonly limit: number;
}

/** The verb `servers history`. */
export function serversHistoryCommand(context: CliContext): Command {
  return restCommand(
    'history',
    'Show which servers came, changed, went or were refused, the newest first.',
    'servers history --limit 20',
  )
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 1000), 100)
    .action((options: HistoryOptions) => runServersHistory(options, context));
}

async function runServersHistory(options: HistoryOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { changes } = await client.call('serverChanges', { query: { limit: options.limit } });
  if (options.json === true) {
    printJson(context, { changes });
    return;
  }
  printTable(context, changes, [
    { title: 'TIME', value: ({ at }) => at },
    { title: 'ACTION', value: ({ action }) => action },
    { title: 'ID', value: ({ server }) => server },
    { title: 'SOURCE', value: ({ source }) => source },
    { title: 'ORIGIN', value: ({ origin }) => origin ?? undefined },
    { title: 'PROBLEM', value: ({ problem }) => problem ?? undefined },
  ]);
}
