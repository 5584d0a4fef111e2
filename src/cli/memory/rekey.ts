/** `memory rekey`: present values under the present keys. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

const timeoutMs = 6 * 3_600_000;

/** The verb `memory rekey`. */
export function memoryRekeyCommand(context: CliContext): Command {
  return memoryCommand(
    'rekey',
    'Encrypt present values under the present keys of their scopes; former versions stay as they are.',
    'memory rekey --scope server:vault',
  ).action((options: MemoryOptions) => runMemoryRekey(options, context));
}

async function runMemoryRekey(options: MemoryOptions, context: CliContext): Promise<void> {
  const client = await connectRest(options, context);
  const done = await client.call('memoryRekey', { body: { scope: options.scope } }, timeoutMs);
  if (options.json === true) {
    printJson(context, done);
    return;
  }
  note(context, `wrote ${done.rekeyed} values anew, ${done.unchanged} were so already`);
  for (const { scope, key } of done.unreadable)
    note(context, `cannot be read, its key is missing: ${scope}/${key}`);
}
