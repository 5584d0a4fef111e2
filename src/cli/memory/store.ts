/** `memory store <key> [value]`. */

import type { Command } from 'commander';
import { integerOption, jsonOrText, readInput, readStdin, repeated } from '../arguments.ts';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { inWorkspaceCommand, type InWorkspaceOptions, placeOf } from './memory-command.ts';

interface StoreOptions extends InWorkspaceOptions {
  readonly tag?: readonly string[];
  readonly ttl?: number;
  readonly thread?: string;
  readonly subject?: string;
  readonly sequence?: number;
  readonly ifMatch?: string;
  readonly relaxed?: boolean;
  readonly file?: string;
  readonly text?: boolean;
}

/** The verb `memory store`. */
export function memoryStoreCommand(context: CliContext): Command {
  return inWorkspaceCommand(
    'store',
    'Remember a value under a key; durable when it returns.',
    `memory store projects/apollo '{"phase": 2}' --tag project
  git-memory-mcp memory store notes/today --file notes.md`,
  )
    .argument('<key>', 'name, slash-separated')
    .argument('[value]', 'JSON where it is JSON, else text; standard input when absent or -')
    .option('--file <file>', 'read the value from a file; - is standard input')
    .option('--text', 'take the value as text even if it is JSON')
    .option('--tag <tag>', 'label (repeatable)', repeated)
    .option('--ttl <seconds>', 'forget after so many seconds', integerOption('--ttl', 1, 3_153_600_000))
    .option(
      '--subject <name>',
      'whose personal data it is: encrypted under a key of its own, see memory forget',
    )
    .option('--thread <name>', 'what the memory is a part of, e.g. a conversation')
    .option('--sequence <number>', 'its place there', integerOption('--sequence', 0, Number.MAX_SAFE_INTEGER))
    .option('--if-match <etag>', 'only if the current etag is this one, or "absent"')
    .option('--relaxed', 'answer before the disk has it; a power cut may lose it')
    .action((key: string, value: string | undefined, options: StoreOptions) =>
      runMemoryStore(key, value, options, context),
    );
}

async function valueText(value: string | undefined, context: CliContext): Promise<string> {
  return value === undefined || value === '-' ? await readStdin(context, 'value') : value;
}

async function runMemoryStore(
  key: string,
  value: string | undefined,
  options: StoreOptions,
  context: CliContext,
): Promise<void> {
  const { file, tag, ttl, ifMatch, relaxed, workspace, thread, sequence, subject } = options;
  if (value !== undefined && file !== undefined)
    throw new AppError('INVALID_INPUT', { field: '--file', problem: 'cannot go with a value; give one' });
  const text =
    file === undefined ? await valueText(value, context) : await readInput(file, context, '--file');
  const client = await connectRest(options, context);
  const stored = await client.call('memoryStore', {
    ...placeOf(key, options),
    body: {
      value: options.text === true ? text : jsonOrText(text),
      ...(tag && { tags: [...tag] }),
      ...(ttl !== undefined && { ttlSeconds: ttl }),
      ...(thread !== undefined && { thread }),
      ...(subject !== undefined && { subject }),
      ...(sequence !== undefined && { sequence }),
      ...(ifMatch !== undefined && { ifMatch }),
      ...(relaxed === true && { durability: 'relaxed' as const }),
      ...(workspace !== undefined && { workspace }),
    },
  });
  if (options.json === true) printJson(context, stored);
  else note(context, `stored ${stored.key} in ${stored.scope} (etag ${stored.etag})`);
}
