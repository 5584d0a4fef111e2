/** `secrets rotate-key`: another master key in place of the one that wraps all secrets. */

import type { Command } from 'commander';
import { AppError } from '../../kernel/errors.ts';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { type SecretsOptions, secretsCommand, withSecrets } from './open-secrets.ts';

interface RotateOptions extends SecretsOptions {
  readonly toEnv?: string;
  readonly toPassphraseEnv?: string;
  readonly toTransit?: string;
}

/** The verb `secrets rotate-key`. */
export function secretsRotateKeyCommand(context: CliContext): Command {
  return secretsCommand(
    'rotate-key',
    'Put all secrets under a new master key, in one step. A key in a file is replaced there.',
    'secrets rotate-key\n  git-memory-mcp secrets rotate-key --to-env NEW_KEY',
  )
    .option('--to-env <name>', 'the new key is in this environment variable, 32 bytes in base64 or hex')
    .option('--to-passphrase-env <name>', 'the new key is of the passphrase in this environment variable')
    .option('--to-transit <key>', 'a new key, wrapped by this key of the transit engine of secrets.vault')
    .action((options: RotateOptions) => runSecretsRotateKey(options, context));
}

async function runSecretsRotateKey(options: RotateOptions, context: CliContext): Promise<void> {
  const { toEnv, toPassphraseEnv, toTransit } = options;
  const wishes = [
    ...(toEnv === undefined ? [] : [{ env: toEnv }]),
    ...(toPassphraseEnv === undefined ? [] : [{ passphrase: { env: toPassphraseEnv } }]),
    ...(toTransit === undefined ? [] : [{ transit: toTransit }]),
  ];
  if (wishes.length > 1)
    throw new AppError('INVALID_INPUT', {
      field: '--to-…',
      problem: 'can be given once: there is one master key',
    });
  const { keySourceOf } = await import('../../open-secrets.ts');
  const [wish] = wishes;
  const secrets = await withSecrets(
    options,
    context,
    ({ local, vault }, loaded) => local.rotateKey(wish && keySourceOf(wish, loaded, vault, context.env)),
    { action: 'secrets rotate-key', arguments: { to: wish ?? 'file' } },
  );
  if (options.json === true) printJson(context, { secrets });
  else note(context, `${secrets} versions are under the new key`);
  if (wish && options.json !== true)
    note(context, 'now name the new key under secrets.local.key of the config, and restart the coordinator');
}
