/** `servers changes`: which servers came, changed or went, and why. */

import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface ChangesOptions extends RestOptions {
  readonly limit: number;
}

/** The verb `servers changes`. */
export function serversChangesCommand(context: CliContext): Command {
  return restCommand(
    'changes',
    'Show which servers came, changed, went or were refused, the newest first.',
    'servers changes --limit 20',
  )
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 1000), 100)
    .action((options: ChangesOptions) => runServersChanges(options, context));
}

async function runServersChanges(options: ChangesOptions, context: CliContext): Promise<void> {
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
