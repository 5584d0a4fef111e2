/** `memory resolve <key> [value]`: decides the conflicts of a key. */

import { type Command, Option } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import { jsonOrText, readInput } from '../arguments.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { connectRest } from '../rest-command.ts';
import { memoryCommand, type MemoryOptions } from './memory-command.ts';

const versions = ['current', 'winner', 'loser', 'base'] as const;

interface ResolveOptions extends MemoryOptions {
  readonly use?: (typeof versions)[number];
  readonly id?: string;
  readonly file?: string;
  readonly text?: boolean;
  readonly ifMatch?: string;
}

/** The verb `memory resolve`. */
export function memoryResolveCommand(context: CliContext): Command {
  return memoryCommand(
    'resolve',
    'Decide the conflicts of a key: keep a version, or store a value instead.',
    `memory resolve projects/apollo --use loser
  git-memory-mcp memory resolve projects/apollo '{"status": "launched"}'`,
  )
    .argument('<key>', 'name, slash-separated')
    .argument('[value]', 'JSON where it is JSON, else text')
    .addOption(new Option('--use <version>', 'the version to keep').choices(versions))
    .option('--id <conflict>', 'only this conflict of the key')
    .option('--file <file>', 'read the value from a file; - is standard input')
    .option('--text', 'take the value as text even if it is JSON')
    .option('--if-match <etag>', 'only if the current etag is this one, or "absent"')
    .action((key: string, value: string | undefined, options: ResolveOptions) =>
      runMemoryResolve(key, value, options, context),
    );
}

async function runMemoryResolve(
  key: string,
  value: string | undefined,
  options: ResolveOptions,
  context: CliContext,
): Promise<void> {
  const { scope, use, id, file, ifMatch } = options;
  if ([value, file, use].filter((one) => one !== undefined).length !== 1)
    throw new AppError('INVALID_INPUT', {
      field: '--use',
      problem: 'or a value or --file: give exactly one',
    });
  const text = file === undefined ? value : await readInput(file, context, '--file');
  const chosen = text === undefined ? undefined : options.text === true ? text : jsonOrText(text);
  const client = await connectRest(options, context);
  const done = await client.call('memoryResolve', { body: { key, scope, id, use, value: chosen, ifMatch } });
  if (options.json === true) printJson(context, done);
  else note(context, `resolved ${done.resolved} of ${done.key} in ${done.scope} (${done.etag ?? 'deleted'})`);
}
