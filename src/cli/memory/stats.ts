/** `memory stats`: how much is remembered. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { formatBytes, printFacts, printJson } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

/** The verb `memory stats`. */
export function memoryStatsCommand(context: CliContext): Command {
  return restCommand('stats', 'Show how much is remembered.', 'memory stats').action((options: RestOptions) =>
    runMemoryStats(options, context),
  );
}

async function runMemoryStats(options: RestOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const stats = await client.call('memoryStats', {});
  if (options.json === true) {
    printJson(context, stats);
    return;
  }
  printFacts(context, {
    keys: stats.keys,
    values: formatBytes(stats.bytes),
    commits: stats.commits,
    head: stats.head ?? 'none yet',
    pending: stats.journalPending,
    repository: formatBytes(stats.repositoryBytes),
    scopes: stats.scopes.map(({ scope, keys }) => `${scope} ${keys}`).join(', '),
  });
}
