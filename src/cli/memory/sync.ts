/** `memory sync`: exchanges memories with Git remotes, or shows how it stands. */

import type { Command } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import { integerOption } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson, printTable } from '../output.ts';
import { connectRest, type RestOptions, restCommand } from '../rest-command.ts';

interface SyncOptions extends RestOptions {
  readonly status?: boolean;
  readonly wait: number;
}

type Row = MemoryOutput<'sync'>['remotes'][number];

/** The verb `memory sync`. */
export function memorySyncCommand(context: CliContext): Command {
  return restCommand(
    'sync',
    'Exchange memories with the Git remotes, or show how it stands.',
    `memory sync
  git-memory-mcp memory sync origin --status`,
  )
    .argument('[remote]', 'one of them; all without it')
    .option('--status', 'exchange nothing, only show how it stands')
    .option('--wait <seconds>', 'how long to wait for the end', integerOption('--wait', 0, 280), 240)
    .action((remote: string | undefined, options: SyncOptions) => runMemorySync(remote, options, context));
}

async function runMemorySync(
  remote: string | undefined,
  options: SyncOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const action = options.status === true ? 'status' : 'run';
  const { remotes } = await client.call('memorySync', {
    body: { action, waitSeconds: options.wait, ...(remote !== undefined && { remote }) },
  });
  const failed = action === 'run' ? remotes.find(({ state }) => state === 'failing') : undefined;
  if (options.json !== true) show(remotes, context);
  // With --json a failure is a document of its own, and then the remotes are in it.
  else if (!failed) printJson(context, { remotes });
  if (!failed) return;
  const fix = 'memory sync --status says why';
  throw new AppError('REMOTE_FAILED', { remote: failed.name, problem: 'the round failed', fix, remotes });
}

function show(remotes: readonly Row[], context: CliContext): void {
  printTable(context, remotes, [
    { title: 'REMOTE', value: ({ name }) => name },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'AHEAD', value: ({ ahead }) => String(ahead ?? '-') },
    { title: 'BEHIND', value: ({ behind }) => String(behind ?? '-') },
    { title: 'LAST', value: ({ lastSuccessAt }) => lastSuccessAt ?? 'never' },
    { title: 'NEXT', value: ({ nextAt }) => nextAt ?? 'when asked' },
    { title: 'URL', value: ({ url }) => url },
  ]);
  if (remotes.length === 0)
    note(context, 'no remotes: name some under memory.remotes in the config, or memory remotes add');
  for (const { name, lastError, notes } of remotes) {
    if (lastError) note(context, `${lastError.message} (${lastError.failures} in a row, ${lastError.at})`);
    for (const one of notes) note(context, `${name}: ${one}`);
  }
}
