/**
 * Takes a changed config while the coordinator runs. Part of the composition root, like `coordinator.ts`. A config
 * that is not valid changes nothing.
 */

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { LoadedConfig } from './config/load-config.ts';
import { listSettings, valueAt } from './config/settings.ts';
import type { ReloadReport, ConfigStatus } from './contract/rest/config-routes.ts';
import { watchFolder } from './discovery/watch-folder.ts';
import { systemClock } from './kernel/clock.ts';
import { AppError, messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import type { ServerRoster } from './server-roster.ts';

export interface ConfigReload extends AsyncDisposable {
  /** Throws CONFIG_INVALID and changes nothing. */
  reload(): Promise<ReloadReport>;
  status(): ConfigStatus;
}

export interface ReloadDependencies {
  readonly first: LoadedConfig;
  /** Loads the config again, from the same file with the same flags; undefined where it cannot change. */
  readonly load: (() => Promise<LoadedConfig>) | undefined;
  readonly roster: ServerRoster;
  /** Takes what else holds at once. */
  readonly onReload?: ((next: LoadedConfig) => void) | undefined;
  readonly logger: Logger;
}

/** Settings that hold as soon as they are loaded; `profile` only says which part of the file counts. */
const liveSettings: readonly string[] = [
  'mcpServers',
  'builtIn',
  'servers',
  'profile',
  'limits.rates',
  'limits.plans',
  'limits.plan',
  'limits.tenantPlans',
  'limits.principalPlans',
];

export function createConfigReload(deps: ReloadDependencies): ConfigReload {
  const { first, load, roster, onReload, logger } = deps;
  const settings = listSettings().filter(({ path }) => !liveSettings.includes(path));
  let loadedAt = new Date().toISOString();
  let problem: string | undefined;
  let needsRestart: readonly string[] = [];
  let running: Promise<ReloadReport> | undefined;
  let content: string | undefined;

  async function loadAndApply(loadAgain: () => Promise<LoadedConfig>): Promise<ReloadReport> {
    let next: LoadedConfig;
    try {
      next = await loadAgain();
    } catch (error) {
      problem = messageOf(error);
      logger.error({ file: first.file, problem }, 'the config is not valid; the old one goes on');
      throw error;
    }
    onReload?.(next);
    const { added, replaced, removed, failures } = await roster.reload(next);
    problem = undefined;
    loadedAt = new Date().toISOString();
    needsRestart = settings
      .filter(({ path }) => !isDeepStrictEqual(valueAt(first.config, path), valueAt(next.config, path)))
      .map(({ path }) => path);
    const failed = failures.map(({ offer, error }) => ({ id: offer.id, problem: messageOf(error) }));
    logger.info({ added, replaced, removed, failed, needsRestart }, 'loaded the config again');
    return {
      added: [...added],
      replaced: [...replaced],
      removed: [...removed],
      failed,
      needsRestart: [...needsRestart],
    };
  }

  async function reload(): Promise<ReloadReport> {
    if (!load)
      throw new AppError('INVALID_INPUT', { field: 'config', problem: 'was not loaded from a file' });
    // One that runs may have read the file before it changed.
    await running?.catch(() => {});
    running = loadAndApply(load).finally(() => {
      running = undefined;
    });
    return await running;
  }

  const read = async (file: string): Promise<string | undefined> =>
    await readFile(file, 'utf8').catch(() => undefined);

  /** The first look loads it in any case: it may have changed while the coordinator started. */
  async function reloadIfChanged(file: string): Promise<void> {
    const now = await read(file);
    // A file that is not there for a moment, as some editors do it, is no config to take.
    if (now === undefined || now === content) return;
    content = now;
    await reload().catch(() => {});
  }

  const { file } = first;
  const isWatching = file !== undefined && first.config.watchConfig && load !== undefined;
  const watching = isWatching
    ? watchFolder(dirname(file), () => reloadIfChanged(file), { clock: systemClock })
    : undefined;

  return {
    reload,
    status: () => ({
      ...(file !== undefined && { file }),
      loadedAt,
      watched: isWatching,
      ...(problem !== undefined && { problem }),
      needsRestart: [...needsRestart],
    }),
    async [Symbol.asyncDispose]() {
      await watching?.[Symbol.asyncDispose]();
      await running?.catch(() => {});
    },
  };
}
