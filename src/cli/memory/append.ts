/** `memory append <key> [text]`: adds to the end of a text or a list. */

import type { Command } from 'commander';
import { jsonOrText, readInput, readStdin, repeated } from '../arguments.ts';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

interface AppendOptions extends MemoryOptions {
  readonly file?: string;
  readonly paragraph?: boolean;
  readonly item?: readonly string[];
}

/** The verb `memory append`. */
export function memoryAppendCommand(context: CliContext): Command {
  return memoryCommand(
    'append',
    'Add a line to a text, or items to a list; nothing of concurrent appends is lost.',
    `memory append notes/today 'called Ada'
  git-memory-mcp memory append queue --item '{"id": 7}'`,
  )
    .argument('<key>', 'name, slash-separated; made if it is not there')
    .argument('[text]', 'text to add; standard input when absent')
    .option('--file <file>', 'read the text from a file; - is standard input')
    .option('--paragraph', 'put an empty line before the text')
    .option(
      '--item <value>',
      'add to a list instead: JSON where it is JSON, else text (repeatable)',
      repeated,
    )
    .action((key: string, text: string | undefined, options: AppendOptions) =>
      runMemoryAppend(key, text, options, context),
    );
}

async function contentOf(text: string | undefined, options: AppendOptions, context: CliContext) {
  const { file, item, paragraph } = options;
  const given = [text, file, item].filter((one) => one !== undefined).length;
  if (given > 1) {
    throw new AppError('INVALID_INPUT', { field: 'text', problem: 'give one of text, --file and --item' });
  }
  if (item) return { items: item.map(jsonOrText) };
  const read = () => (file === undefined ? readStdin(context, 'text') : readInput(file, context, '--file'));
  return { text: text ?? (await read()), ...(paragraph && { paragraph }) };
}

async function runMemoryAppend(
  key: string,
  text: string | undefined,
  options: AppendOptions,
  context: CliContext,
): Promise<void> {
  const content = await contentOf(text, options, context);
  const client = await connectRest(options, context);
  const done = await client.call('memoryAppend', { body: { key, scope: options.scope, ...content } });
  if (options.json === true) printJson(context, done);
  else note(context, `appended to ${done.key} in ${done.scope} (etag ${done.etag})`);
}
