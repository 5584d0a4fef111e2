/** `memory restore <key> <to>`: a former version becomes a new one; with --prefix or --all of many keys. */

import type { Command } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

interface RestoreOptions extends MemoryOptions {
  readonly prefix?: string;
  readonly all?: true;
}

/** The verb `memory restore`. */
export function memoryRestoreCommand(context: CliContext): Command {
  return memoryCommand(
    'restore',
    'Bring a key, or many at once, back to a former version as a new version.',
    `memory restore projects/apollo 4f2a91c
  git-memory-mcp memory restore --prefix projects/ snap:before-cleanup`,
  )
    .argument('<key>', 'name, slash-separated; left out with --prefix or --all')
    .argument('[to]', 'a commit id, an ISO 8601 date or snap:<name>')
    .option('--prefix <prefix>', 'every key that starts so; what did not exist then is deleted')
    .option('--all', 'every key: of --scope, or of all scopes without it')
    .action((first: string, second: string | undefined, options: RestoreOptions) =>
      runMemoryRestore([first, second], options, context),
    );
}

async function runMemoryRestore(
  [first, second]: readonly [string, string | undefined],
  options: RestoreOptions,
  context: CliContext,
): Promise<void> {
  const { scope, prefix, all } = options;
  const isMany = prefix !== undefined || all === true;
  const to = isMany ? first : second;
  if (to === undefined) throw new AppError('INVALID_INPUT', { field: 'to', problem: 'is missing' });
  if (isMany && second !== undefined) {
    throw new AppError('INVALID_INPUT', { field: 'key', problem: 'does not go with --prefix or --all' });
  }
  const client = await connectRest(options, context);
  const what = isMany ? { prefix, all } : { key: first };
  const done = await client.call('memoryRestore', { body: { ...what, to, scope } });
  if (options.json === true) printJson(context, done);
  else if (isMany)
    note(context, `restored ${done.restored}, deleted ${done.deleted}, from ${done.restoredFrom}`);
  else
    note(
      context,
      `restored ${done.key ?? first} in ${done.scope ?? 'shared'} from ${done.restoredFrom.slice(0, 12)} (etag ${done.etag ?? ''})`,
    );
}
