/**
 * The servers put together: roster, discovery, reloads and the record of changes. Part of the composition
 * root, like `coordinator.ts`.
 */

import { setImmediate } from 'node:timers/promises';
import { builtInServers } from './catalog/built-in-servers.ts';
import type { PluginParts } from './catalog/load-plugins.ts';
import { type ConfigReload, createConfigReload } from './config-reload.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { type Bulk, createBulk } from './fleet/bulk.ts';
import type { Deployer } from './fleet/deployer.ts';
import { createQuarantine, type Quarantine } from './fleet/quarantine.ts';
import type { DiscoveryDependencies } from './http/routes/discovery.ts';
import { messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import { openDeployment } from './open-deployment.ts';
import type { Pool } from './pool/pool.ts';
import type { ServerChange } from './server-reconcile.ts';
import { createServerRoster, type Refusal, type ServerRoster } from './server-roster.ts';
import { openServerSettings } from './server-settings.ts';
import { createServerSources, openRegistrations } from './server-sources.ts';
import type { TenantStore } from './store/tenant-store.ts';
import type { ServerChangeRow } from './store/server-changes.ts';

export interface Servers {
  readonly roster: ServerRoster;
  readonly reload: ConfigReload;
  /** Servers that could not be taken. */
  readonly refusals: readonly Refusal[];
  readonly routes: DiscoveryDependencies;
  readonly deployer: Deployer;
  readonly bulk: Bulk;
}

export interface OpenServersOptions {
  readonly loaded: LoadedConfig;
  readonly plugins: Pick<PluginParts, 'servers'>;
  readonly pool: Pool;
  readonly store: TenantStore;
  readonly logger: Logger;
  readonly load: (() => Promise<LoadedConfig>) | undefined;
  /** Takes what else holds at once of a config that was loaded again. */
  readonly onReload?: ((next: LoadedConfig) => void) | undefined;
}

/** Fills the pool, starts nothing. */
export async function openServers(
  parts: AsyncDisposableStack,
  { loaded, plugins, pool, store, logger, load, onReload }: OpenServersOptions,
): Promise<Servers> {
  const record = createRecorder(parts, store, logger);
  const held = createQuarantine(pool, store.quarantine, await store.quarantine.all());
  const settings = await openServerSettings({
    pool,
    rows: store.serverSettings,
    builtIns: [...builtInServers, ...plugins.servers],
    roster: () => roster,
    onChange: record,
  });
  let isFilled = false;
  const registrations = parts.use(openRegistrations(loaded, () => roster));
  const deployer = parts.use(await openDeployment({ loaded, pool, store, logger, roster: () => roster }));
  const roster: ServerRoster = createServerRoster(loaded, {
    pool,
    addedServers: store.addedServers,
    builtIns: builtInServers,
    pluginServers: plugins.servers,
    logger,
    // What a start finds where it was is no news.
    onChange: (change) => {
      if (isFilled || change.action !== 'added') record(change);
      if (change.action === 'removed') void settings.forget(change.server);
    },
    evict: (name) => registrations.evict(name),
    deployed: () => deployer.specs(),
    changesOf: (id) => settings.of(id),
  });
  const refusals = await roster.fill();
  isFilled = true;
  const sources = parts.use(createServerSources(loaded, roster, logger));
  await sources.open();
  const reload = parts.use(createConfigReload({ first: loaded, load, roster, onReload, logger }));
  return {
    roster,
    reload,
    refusals,
    deployer,
    bulk: createBulk({
      pool,
      remove: (id) => roster.remove(id),
      configure: settings.configure,
      quarantine: recordedQuarantine(held, pool, record),
      scales: store.scaleBounds,
      concurrency: loaded.config.limits.startConcurrency,
    }),
    routes: {
      registrations,
      reload: () => reload.reload(),
      newestChanges: (limit) => store.serverChanges.newest(limit),
      discovery: () => ({
        sources: sources.status().map((status) => ({ ...status, problems: [...status.problems] })),
        conflicts: roster.conflicts.map(({ claimant, winner }) => ({
          server: claimant.id,
          source: claimant.source,
          origin: claimant.origin,
          winner: `${winner.id} (${winner.source})`,
        })),
        failures: [...roster.failures],
      }),
    },
  };
}

/** Who was put into quarantine, and let out, is a change of servers like others. */
function recordedQuarantine(
  quarantine: Quarantine,
  pool: Pool,
  record: (change: ServerChange) => void,
): Quarantine {
  const tell = (action: ServerChange['action'], server: string, problem?: string): void => {
    const { source = 'config', origin } = pool.get(server)?.spec ?? {};
    record({
      action,
      server,
      source,
      ...(origin !== undefined && { origin }),
      ...(problem !== undefined && { problem }),
    });
  };
  return {
    async hold(id, reason) {
      await quarantine.hold(id, reason);
      tell('quarantined', id, reason);
    },
    async release(id) {
      await quarantine.release(id);
      tell('released', id);
    },
  };
}

/** One log line and one row a change; those of one moment are written together. */
function createRecorder(
  parts: AsyncDisposableStack,
  store: TenantStore,
  logger: Logger,
): (change: ServerChange) => void {
  let waiting: ServerChangeRow[] = [];
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    // Sources report many at once.
    await setImmediate();
    const rows = waiting;
    waiting = [];
    writing = undefined;
    await store.serverChanges
      .add(rows)
      .catch((error: unknown) => logger.error({ problem: messageOf(error) }, 'could not record changes'));
  }

  parts.defer(() => writing);
  return ({ action, server, source, origin = null, problem = null }) => {
    const fields = { action, server, source, origin, problem };
    logger[problem === null ? 'info' : 'warn'](fields, 'server change');
    waiting.push({ at: new Date().toISOString(), ...fields });
    writing ??= write();
  };
}
