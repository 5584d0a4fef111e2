/** `memory restore <key> <to>`: a former version becomes a new one. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

/** The verb `memory restore`. */
export function memoryRestoreCommand(context: CliContext): Command {
  return memoryCommand(
    'restore',
    'Bring a former version of a key back as a new version.',
    'memory restore projects/apollo 4f2a91c',
  )
    .argument('<key>', 'name, slash-separated')
    .argument('<to>', 'a commit id or an ISO 8601 date')
    .action((key: string, to: string, options: MemoryOptions) => runMemoryRestore(key, to, options, context));
}

async function runMemoryRestore(
  key: string,
  to: string,
  options: MemoryOptions,
  context: CliContext,
): Promise<void> {
  const client = await connectRest(options, context);
  const restored = await client.call('memoryRestore', { body: { key, to, scope: options.scope } });
  if (options.json === true) printJson(context, restored);
  else
    note(
      context,
      `restored ${restored.key} in ${restored.scope} from ${restored.restoredFrom.slice(0, 12)} (etag ${restored.etag})`,
    );
}
