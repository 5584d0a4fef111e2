/** `memory history <key>`: versions, newest first. */

import type { Command } from 'commander';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { collectPages, connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

interface HistoryOptions extends MemoryOptions {
  readonly limit: number;
}

/** The verb `memory history`. */
export function memoryHistoryCommand(context: CliContext): Command {
  return memoryCommand(
    'history',
    'List the versions of a key, newest first.',
    'memory history projects/apollo',
  )
    .argument('<key>', 'name, slash-separated')
    .option('--limit <count>', 'at most so many', integerOption('--limit', 1, 1_000_000), 100)
    .action((key: string, options: HistoryOptions) => runMemoryHistory(key, options, context));
}

async function runMemoryHistory(key: string, options: HistoryOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const { scope } = options;
  const versions = await collectPages(options.limit, async (page) => {
    const { versions: items, nextCursor } = await client.call('memoryHistory', {
      body: { ...page, key, scope },
    });
    return { items, nextCursor };
  });
  if (options.json === true) {
    printJson(context, { versions });
    return;
  }
  printTable(context, versions, [
    { title: 'COMMIT', value: ({ commit }) => commit?.slice(0, 12) ?? 'pending' },
    { title: 'AT', value: ({ at }) => at },
    { title: 'OP', value: ({ op }) => op },
    { title: 'ACTOR', value: ({ actor }) => actor },
    { title: 'ETAG', value: ({ etag }) => etag?.slice(0, 12) },
  ]);
}
