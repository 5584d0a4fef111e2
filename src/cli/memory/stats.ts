/** `memory stats`: how much is remembered. */

import type { Command } from 'commander';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
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
    textPending: stats.textPending,
    repository: formatBytes(stats.repositoryBytes),
    scopes: stats.scopes.map(describeScope).join(', '),
  });
}

type ScopeStats = MemoryOutput<'stats'>['scopes'][number];

/** Keys, and where there are limits how much of them is used. */
function describeScope({ scope, keys, bytes, maxKeys, maxBytes }: ScopeStats): string {
  const limitKeys = maxKeys === undefined ? '' : `/${maxKeys}`;
  const limitBytes = maxBytes === undefined ? '' : ` (${formatBytes(bytes)} of ${formatBytes(maxBytes)})`;
  return `${scope} ${keys}${limitKeys}${limitBytes}`;
}
