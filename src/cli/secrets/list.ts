/** `secrets list`: what is kept, without what it holds. */

import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { type SecretsOptions, secretsCommand, tenant, withSecrets } from './open-secrets.ts';

/** The verb `secrets list`. */
export function secretsListCommand(context: CliContext): Command {
  return secretsCommand('list', 'List secrets by name; never their values.', 'secrets list').action(
    (options: SecretsOptions) => runSecretsList(options, context),
  );
}

async function runSecretsList(options: SecretsOptions, context: CliContext): Promise<void> {
  const found = await withSecrets(options, context, ({ local }) => local.list(tenant));
  const items = found.map(({ name, owner, version, createdAt, expiresAt }) => ({
    name,
    owner,
    version,
    createdAt,
    expiresAt,
  }));
  if (options.json === true) {
    printJson(context, { items });
    return;
  }
  printTable(context, items, [
    { title: 'NAME', value: ({ name }) => name },
    { title: 'USER', value: ({ owner }) => (owner === '' ? '-' : owner) },
    { title: 'VERSION', value: ({ version }) => version, alignRight: true },
    { title: 'SET', value: ({ createdAt }) => createdAt },
    { title: 'EXPIRES', value: ({ expiresAt }) => expiresAt ?? 'never' },
  ]);
}
