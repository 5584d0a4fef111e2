/** The frame of every verb that works on the secrets of a data folder, with a coordinator on it or without. */

import { mkdir } from 'node:fs/promises';
import { Command } from 'commander';
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts';
import { createLogger } from '../../kernel/log.ts';
import { localOwner } from '../../kernel/principal.ts';
import type { Secrets } from '../../open-secrets.ts';
import type { CliContext } from '../context.ts';
import { type AuditedChange, withAudit } from '../with-audit.ts';

export interface SecretsOptions {
  readonly data?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** The tenant that the command line works for. */
export const { tenant } = localOwner;

/** A verb of `secrets` with the options that all of them share. */
export function secretsCommand(name: string, description: string, example: string): Command {
  return new Command(name)
    .description(description)
    .option('--data <folder>', 'data folder of the coordinator (default .git-memory)')
    .option('--config <file>', 'config file that names the data folder and the master key')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  git-memory-mcp ${example}`);
}

/**
 * Does some work on the secrets. Who can write the folder is its owner, so nobody is asked for a key. A change is in the
 * audit log when this resolves.
 */
export async function withSecrets<T>(
  options: SecretsOptions,
  context: CliContext,
  work: (secrets: Secrets, loaded: LoadedConfig) => Promise<T>,
  change?: AuditedChange<T>,
): Promise<T> {
  const { env, cwd } = context;
  const loaded = await loadConfig({
    env,
    cwd,
    flags: { dataDir: options.data },
    ...(options.config !== undefined && { file: options.config }),
  });
  const { dataDir } = loaded.config;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // Loaded here, so that the other verbs start without the store.
  const { openStore } = await import('../../store/open-store.ts');
  const { openSecrets } = await import('../../open-secrets.ts');
  await using parts = new AsyncDisposableStack();
  const store = parts.use(await openStore(dataDir));
  const logger = createLogger({ level: 'error' });
  const secrets = await openSecrets(parts, loaded, { rows: store.secrets, logger, env });
  return await withAudit(loaded.config, context, change, () => work(secrets, loaded));
}
