/**
 * The composition root: builds the parts in order, hands each what it needs, and takes them down in reverse.
 * With `server-roster.ts` the only file that knows them all.
 */

import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { builtInServers } from './catalog/built-in-servers.ts';
import { loadPlugins } from './catalog/load-plugins.ts';
import { type Approval, createPinGate } from './catalog/pins/pin-gate.ts';
import { createCatalogRecorder } from './catalog/records/record-catalog.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { resolveBackup } from './config/resolve-backup.ts';
import { resolveStore } from './config/resolve-store.ts';
import type { ServerItem } from './contract/rest/server-routes.ts';
import { assertMayBind } from './http/guards.ts';
import { toServerItem } from './http/routes/servers.ts';
import { systemClock } from './kernel/clock.ts';
import { AppError } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import { localOwner } from './kernel/principal.ts';
import { memoryEmbeddings } from './memory-embeddings.ts';
import { memoryKeyring } from './memory-keyring.ts';
import { createRemoteRoster, memoryRemotes } from './memory-remotes.ts';
import { openMemory } from './memory/open-memory.ts';
import type { InstanceDependencies } from './pool/instance-types.ts';
import type { StartReport } from './pool/pool.ts';
import { createMeters } from './metrics/create-meters.ts';
import { openIdentity } from './open-identity.ts';
import { openPool } from './open-pool.ts';
import { openServers } from './open-servers.ts';
import type { Refusal } from './server-roster.ts';
import { openStore } from './store/open-store.ts';
import { openTenantStore } from './store/tenant-store.ts';
import { openEdge } from './open-edge.ts';

export interface CoordinatorOptions {
  readonly logger: Logger;
  readonly onProgress?: (report: StartReport) => void;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
  /** Loads the config again, for reloads; without it the config stays as it is. */
  readonly loadConfig?: () => Promise<LoadedConfig>;
}

export interface Coordinator extends AsyncDisposable {
  /** The MCP endpoint of all servers. */
  readonly url: string;
  /** Servers that did not come up; those that could be taken keep trying. */
  readonly failures: readonly Refusal[];
  servers(): ServerItem[];
  /** Keys are asked for, and nobody has one yet. */
  readonly lacksKeys: boolean;
  /** Resolves when someone asked over REST to stop. */
  readonly stopped: Promise<void>;
}

/** Starts everything; resolves when each server asked for is up or has failed its first try. */
export async function startCoordinator(
  loaded: LoadedConfig,
  options: CoordinatorOptions,
): Promise<Coordinator> {
  const { config } = loaded;
  const { logger } = options;
  assertMayBind(config.host, config.auth.mode === 'required');
  const dataDir = resolve(config.dataDir);
  await using parts = new AsyncDisposableStack();
  // The memory is private to whoever runs this.
  await mkdir(dataDir, { recursive: true, mode: 0o700 });

  const backup = await resolveBackup(loaded);
  const plugins = await loadPlugins(config.plugins, loaded.baseDir, builtInServers);
  const meters = createMeters({ logger, clock: systemClock });
  const opened = parts.use(
    await openMemory({
      dataDir,
      logger,
      flushIntervalMs: config.memory.flushIntervalMs,
      maxWritesPerCommit: config.memory.maxWritesPerCommit,
      scopes: config.memory.scopes,
      quotas: config.memory.scopes,
      ...(await memoryEmbeddings(loaded)),
      remotes: memoryRemotes(loaded),
      keyring: await memoryKeyring(loaded, dataDir),
      backup,
    }),
  );
  const memory = meters.memory.watch(opened);
  const store = parts.use(await openStore(dataDir, { postgres: await resolveStore(loaded), logger }));
  const own = await openTenantStore(store, localOwner.tenant);
  const identity = await openIdentity(parts, { config, store, logger });
  const approved = (await own.approvals.all()) as ReadonlyMap<string, Approval>;
  const pins = createPinGate({ approved, store: own.approvals, logger });
  const recorder = config.catalog.record ? parts.use(createCatalogRecorder(memory, logger)) : undefined;
  const admit: InstanceDependencies['admit'] = (spec, offered) => {
    recorder?.record(spec, offered);
    return pins.admit(spec, offered);
  };
  const { pool, hosts } = await openPool(parts, {
    config,
    dataDir,
    memory,
    store: own,
    plugins,
    admit,
    meters,
    logger,
  });
  const servers = await openServers(parts, {
    loaded,
    plugins,
    pool,
    store: own,
    logger,
    load: options.loadConfig,
  });
  const { roster, refusals } = servers;
  const remotes = createRemoteRoster(memory, loaded, own.addedRemotes, logger);
  await remotes.fill();
  const edge = await openEdge(parts, {
    config,
    loaded,
    plugins,
    dataDir,
    memory,
    store,
    own,
    pins,
    identity,
    pool,
    hosts,
    servers,
    remotes,
    meters,
    logger,
  });

  options.signal?.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    options.signal?.addEventListener('abort', () => reject(new AppError('SHUTTING_DOWN')), { once: true });
  });
  roster.startNew();
  const starting = pool.startAll(config.limits.startConcurrency, options.onProgress);
  // Whoever asks over REST to stop need not wait for slow servers either.
  const stopped = edge.stopAsked.then(() => []);
  const failures = [...refusals, ...(await Promise.race([starting, aborted, stopped]))];
  for (const { id, reason } of failures) logger.warn({ server: id, reason }, 'server did not start');
  if (refusals.length === 0) edge.markStarted();

  const live = parts.move();
  return {
    url: `${edge.baseUrl}/mcp`,
    failures,
    servers: () => pool.instances().map(toServerItem),
    lacksKeys: identity.lacksKeys,
    stopped: edge.stopAsked,
    [Symbol.asyncDispose]: () => live.disposeAsync(),
  };
}
