/** Secrets of the store and the vault for commands that check a config; nothing is opened before the first one is read. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load-config.ts';
import { AppError } from '../../kernel/errors.ts';
import { createLogger } from '../../kernel/log.ts';
import type { SecretAccess } from '../../kernel/secret-access.ts';
import type { CliContext } from '../context.ts';

/** A data folder that is not there is not made. */
export function keptSecrets(loaded: LoadedConfig, { env }: CliContext): SecretAccess & AsyncDisposable {
  const parts = new AsyncDisposableStack();
  const { dataDir } = loaded.config;
  let opening: Promise<SecretAccess> | undefined;

  async function open(): Promise<SecretAccess> {
    const { openStore } = await import('../../store/open-store.ts');
    const { openSecrets } = await import('../../open-secrets.ts');
    const store = parts.use(await openStore(dataDir));
    const logger = createLogger({ level: 'silent' });
    return (await openSecrets(parts, loaded, { rows: store.secrets, logger, env })).access();
  }

  return {
    async read(reference) {
      const id = 'secret' in reference ? reference.secret : reference.vault.path;
      if (!existsSync(join(dataDir, 'state.sqlite'))) throw new AppError('NOT_FOUND', { what: 'secret', id });
      return await (await (opening ??= open())).read(reference);
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
