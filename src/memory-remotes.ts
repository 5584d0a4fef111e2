/**
 * The Git remotes of the memory: those of the config, and those added while a coordinator ran. Part of the
 * composition root, like `coordinator.ts`: it brings config, store and memory together.
 */

import type { LoadedConfig } from './config/load-config.ts';
import { type RemoteConfig, parseRemote } from './config/parse-remote.ts';
import { resolveReference, secretSource } from './config/resolve-secrets.ts';
import { remoteEntryShape } from './contract/rest/remote-routes.ts';
import type { RemoteRegistry } from './http/routes/remotes.ts';
import { AppError, isAppError, messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import { createSsrfGuard, portOf } from './kernel/ssrf-guard.ts';
import type { Memory } from './memory/open-memory.ts';
import type { RemoteOptions } from './memory/sync/remote-git.ts';
import { absoluteRemoteUrl, remoteKind } from './memory/sync/remote-url.ts';
import type { AddedEntries } from './store/added-entries.ts';
import type { OfTenant } from './store/tenant-store.ts';

/** The remotes of the config by the order of the file: paths absolute, credentials read when they are needed. */
export function memoryRemotes(loaded: LoadedConfig): RemoteOptions[] {
  const remotes = Object.entries(loaded.config.memory.remotes);
  return remotes.map(([name, remote]) => toOptions(loaded, name, remote, 'config'));
}

function toOptions(
  loaded: LoadedConfig,
  name: string,
  { url, credential, ...remote }: RemoteConfig,
  source: RemoteOptions['source'],
): RemoteOptions {
  const where = source === 'config' ? `memory.remotes.${name}.credential` : `remote ${name}: credential`;
  return {
    ...remote,
    name,
    source,
    url: absoluteRemoteUrl(url, loaded.baseDir),
    ...(credential && {
      readCredential: () => resolveReference(credential, where, secretSource(loaded)),
    }),
  };
}

export interface RemoteRoster extends RemoteRegistry {
  /** Gives the memory those that a former run added; what cannot be taken is logged. */
  fill(): Promise<void>;
}

/** Remotes that come and go while the coordinator runs. They reach only hosts that the guard lets pass. */
export function createRemoteRoster(
  memory: Pick<Memory, 'remotes'>,
  loaded: LoadedConfig,
  addedRemotes: OfTenant<AddedEntries>,
  logger: Logger,
): RemoteRoster {
  const { remotes: configured, addedRemotes: bounds } = loaded.config.memory;
  const guard = createSsrfGuard(bounds);

  function toAdded(name: string, entry: unknown): RemoteOptions {
    const remote = parseRemote(name, entry);
    const kind = remoteKind(remote.url);
    if (kind !== 'http' && kind !== 'https') {
      const problem = `is ${kind}; only http and https can be added: name other remotes under memory.remotes in the config`;
      throw new AppError('INVALID_INPUT', { field: 'url', problem });
    }
    if (/[?#]/.test(remote.url))
      throw new AppError('INVALID_INPUT', { field: 'url', problem: 'must not have a query or a fragment' });
    return { ...toOptions(loaded, name, remote, 'added'), guard };
  }

  return {
    async fill() {
      for (const { name, entry } of await addedRemotes.all()) {
        try {
          memory.remotes.add(toAdded(name, entry));
        } catch (error) {
          logger.warn({ remote: name, problem: messageOf(error) }, 'an added remote was left out');
        }
      }
    },
    async add(name, entry) {
      const options = toAdded(name, entry);
      await refuseForbidden(options.url);
      memory.remotes.add(options);
      try {
        await addedRemotes.put(name, { ...entry });
      } catch (error) {
        await memory.remotes.remove(name);
        throw error;
      }
      logger.info({ remote: name, host: new URL(options.url).host }, 'added a remote');
    },
    async remove(name) {
      if (Object.hasOwn(configured, name)) {
        const problem = `${name} comes from the config file: remove it there`;
        throw new AppError('INVALID_INPUT', { field: 'name', problem });
      }
      const found = (await addedRemotes.all()).find((one) => one.name === name);
      if (!found) throw new AppError('NOT_FOUND', { what: 'remote', id: name });
      await addedRemotes.remove(name);
      await memory.remotes.remove(name).catch((error: unknown) => {
        // One that was left out when the coordinator started.
        if (!isAppError(error, 'NOT_FOUND')) throw error;
      });
      logger.info({ remote: name }, 'removed a remote');
      return remoteEntryShape.parse(found.entry);
    },
  };

  /** A name that does not resolve now may do so later: each round asks again. */
  async function refuseForbidden(url: string): Promise<void> {
    const target = guard.checkUrl(url);
    await guard.resolve(target.hostname, portOf(target)).catch((error: unknown) => {
      if (!isAppError(error, 'UPSTREAM_UNAVAILABLE')) throw error;
    });
  }
}
