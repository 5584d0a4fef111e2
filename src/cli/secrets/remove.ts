/** `secrets remove`: forgets a secret with all its versions. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { note, printJson } from '../output.ts';
import { type SecretsOptions, secretsCommand, tenant, withSecrets } from './open-secrets.ts';

interface RemoveOptions extends SecretsOptions {
  readonly user?: string;
}

/** The verb `secrets remove`. */
export function secretsRemoveCommand(context: CliContext): Command {
  return secretsCommand('remove', 'Forget a secret, all its versions.', 'secrets remove github-token')
    .argument('<name>', 'as `secrets list` shows it')
    .option('--user <id>', 'the one of this user')
    .action((name: string, options: RemoveOptions) => runSecretsRemove(name, options, context));
}

async function runSecretsRemove(name: string, options: RemoveOptions, context: CliContext): Promise<void> {
  const { user: owner = '' } = options;
  await withSecrets(options, context, ({ local }) => local.remove({ tenant, owner, name }), {
    action: 'secrets remove',
    arguments: { name, owner },
    id: name,
  });
  if (options.json === true) printJson(context, { name, owner, removed: true });
  else note(context, `removed ${name}`);
}
