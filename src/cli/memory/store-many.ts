/** `memory store-many`: entries of a JSON array or of JSON lines, all or none. */

import type { Command } from 'commander';
import { memoryOperations } from '../../kernel/memory/operations.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { readInput } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

const entriesShape = memoryOperations.store_many.input.shape.entries;

/** The verb `memory store-many`. */
export function memoryStoreManyCommand(context: CliContext): Command {
  return memoryCommand(
    'store-many',
    'Remember up to 1,000 values at once, all or none, in one commit.',
    'memory store-many entries.jsonl',
  )
    .argument(
      '<file>',
      'a JSON array or JSON lines of {"key", "value", "tags"?, "ttlSeconds"?, "thread"?, "sequence"?, "subject"?, "ifMatch"?}; - is standard input',
    )
    .action((file: string, options: MemoryOptions) => runMemoryStoreMany(file, options, context));
}

function parseEntries(text: string) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  try {
    const data: unknown = text.trimStart().startsWith('[')
      ? JSON.parse(text)
      : lines.map((line) => JSON.parse(line) as unknown);
    return entriesShape.parse(data);
  } catch (error) {
    const [issue] = (error as { issues?: { path: PropertyKey[]; message: string }[] }).issues ?? [];
    const problem = issue ? `${issue.path.map(String).join('.')}: ${issue.message}` : messageOf(error);
    throw new AppError('INVALID_INPUT', { field: 'entries', problem });
  }
}

async function runMemoryStoreMany(file: string, options: MemoryOptions, context: CliContext): Promise<void> {
  const entries = parseEntries(await readInput(file, context, 'file'));
  const client = await connectRest(options, context);
  const done = await client.call('memoryStoreMany', { body: { entries, scope: options.scope } });
  if (options.json === true) printJson(context, done);
  else note(context, `stored ${done.entries.length} in ${done.scope}`);
}
