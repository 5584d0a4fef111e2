/** `secrets set`: keeps a value that the config refers to by its name. */

import { isCancel, password } from '@clack/prompts';
import type { Command } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import { readInput, readStdin } from '../arguments.ts';
import { type CliContext, isInteractive } from '../context.ts';
import { durationOption } from '../keys/open-keys.ts';
import { note, printJson } from '../output.ts';
import { type SecretsOptions, secretsCommand, tenant, withSecrets } from './open-secrets.ts';

interface SetOptions extends SecretsOptions {
  readonly user?: string;
  readonly file?: string;
  readonly expires?: number;
}

/** The verb `secrets set`. */
export function secretsSetCommand(context: CliContext): Command {
  return secretsCommand(
    'set',
    'Keep a secret, encrypted. Its value comes from standard input or a hidden question, never from arguments.',
    'secrets set github-token < token.txt',
  )
    .argument('<name>', 'name to refer to it by: { secret: name }')
    .option('--user <id>', 'of one user only, by the id that `auth.for: user` of a server goes by')
    .option('--file <file>', 'read the value from a file')
    .option(
      '--expires <time>',
      'it runs out in so long: 90d, 12h, 30m; the log tells ahead of it',
      durationOption('--expires'),
    )
    .action((name: string, options: SetOptions) => runSecretsSet(name, options, context));
}

async function valueOf(name: string, { file }: SetOptions, context: CliContext): Promise<string> {
  if (file !== undefined) return await readInput(file, context, '--file');
  if (!isInteractive(context)) return await readStdin(context, 'value');
  const answer = await password({ message: `Value of ${name}` });
  if (isCancel(answer)) throw new AppError('REQUEST_CANCELLED');
  return answer;
}

async function runSecretsSet(name: string, options: SetOptions, context: CliContext): Promise<void> {
  const { user: owner = '', expires } = options;
  // Files and `echo` end with a line end that is no part of it.
  const text = (await valueOf(name, options, context)).replace(/\r?\n$/, '');
  const expiresAt = expires === undefined ? null : new Date(Date.now() + expires).toISOString();
  const { version } = await withSecrets(
    options,
    context,
    ({ local }) => local.set({ tenant, owner, name }, text, expiresAt),
    { action: 'secrets set', arguments: { name, owner, expiresAt }, id: name },
  );
  if (options.json === true) printJson(context, { name, owner, version, expiresAt });
  else note(context, `set ${name}, version ${version}`);
}
