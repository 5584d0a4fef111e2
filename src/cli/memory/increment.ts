/** `memory increment <key>`: adds to a number and prints it. */

import { type Command, Option } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions, printValue } from './memory-command.ts';

interface IncrementOptions extends MemoryOptions {
  readonly by?: number;
  readonly pointer?: string;
}

function parseNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new AppError('INVALID_INPUT', { field: '--by', problem: 'must be a number' });
}

/** The verb `memory increment`. */
export function memoryIncrementCommand(context: CliContext): Command {
  return memoryCommand(
    'increment',
    'Add to a number and print it; no concurrent increment is lost.',
    'memory increment counters/visits --by 2',
  )
    .argument('<key>', 'name, slash-separated; a number that is not there counts as 0')
    .addOption(new Option('--by <number>', 'what to add (default 1)').argParser(parseNumber))
    .option('--pointer <pointer>', 'JSON Pointer of the number inside the value, such as /visits')
    .action((key: string, options: IncrementOptions) => runMemoryIncrement(key, options, context));
}

async function runMemoryIncrement(
  key: string,
  options: IncrementOptions,
  context: CliContext,
): Promise<void> {
  const { by, pointer, scope } = options;
  const client = await connectRest(options, context);
  const done = await client.call('memoryIncrement', { body: { key, by, pointer, scope } });
  if (options.json === true) printJson(context, done);
  else printValue(context, done.value);
}
