/**
 * The composition root: builds the parts in order, hands each what it needs, and takes them down in reverse.
 * With `server-roster.ts` the only file that knows them all.
 */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { builtInServers } from './catalog/built-in-servers.ts';
import { loadPlugins, type PluginParts } from './catalog/load-plugins.ts';
import { type Approval, createPinGate, type PinGate } from './catalog/pins/pin-gate.ts';
import { createCatalogRecorder } from './catalog/records/record-catalog.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { resolveBackup } from './config/resolve-backup.ts';
import type { Config } from './config/schema.ts';
import type { ServerItem } from './contract/rest/server-routes.ts';
import { type BundleSettings, createBundles } from './gateway/bundles/bundles.ts';
import { matchesAny } from './gateway/name-patterns.ts';
import { createGateway } from './gateway/gateway.ts';
import { createGitEndpoint } from './http/git/git-endpoint.ts';
import { assertMayBind } from './http/guards.ts';
import { listen } from './http/listen.ts';
import { bundlesRoutes } from './http/routes/bundles.ts';
import { deploymentsRoutes } from './http/routes/deployments.ts';
import { discoveryRoutes } from './http/routes/discovery.ts';
import { memoryRoutes } from './http/routes/memory.ts';
import { pinsRoutes } from './http/routes/pins.ts';
import { remotesRoutes } from './http/routes/remotes.ts';
import { serversRoutes, toServerItem } from './http/routes/servers.ts';
import { statusRoutes } from './http/routes/status.ts';
import { toolsRoutes } from './http/routes/tools.ts';
import { systemClock } from './kernel/clock.ts';
import { AppError } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import { product } from './kernel/product.ts';
import { createRequestIds } from './kernel/request-ids.ts';
import { memoryEmbeddings } from './memory-embeddings.ts';
import { memoryKeyring } from './memory-keyring.ts';
import { createRemoteRoster, memoryRemotes, type RemoteRoster } from './memory-remotes.ts';
import { type Memory, openMemory } from './memory/open-memory.ts';
import type { InstanceDependencies } from './pool/instance-types.ts';
import type { Pool, StartReport } from './pool/pool.ts';
import { createMeters, type Meters } from './metrics/create-meters.ts';
import { type Identity, openIdentity } from './open-identity.ts';
import { openMetrics } from './open-metrics.ts';
import { openPool } from './open-pool.ts';
import { openServers, type Servers } from './open-servers.ts';
import type { Refusal } from './server-roster.ts';
import { openStore, type Store } from './store/open-store.ts';
import type { Hosts } from './transport/in-process/hosts.ts';

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
  const store = parts.use(await openStore(dataDir));
  const identity = await openIdentity(parts, { config, store, logger });
  const approved = (await store.approvals.all()) as ReadonlyMap<string, Approval>;
  const pins = createPinGate({ approved, store: store.approvals, logger });
  const recorder = config.catalog.record ? parts.use(createCatalogRecorder(memory, logger)) : undefined;
  const admit: InstanceDependencies['admit'] = (spec, offered) => {
    recorder?.record(spec, offered);
    return pins.admit(spec, offered);
  };
  const { pool, hosts } = await openPool(parts, {
    config,
    dataDir,
    memory,
    store,
    plugins,
    admit,
    meters,
    logger,
  });
  const servers = await openServers(parts, {
    loaded,
    plugins,
    pool,
    store,
    logger,
    load: options.loadConfig,
  });
  const { roster, refusals } = servers;
  const remotes = createRemoteRoster(memory, loaded, store.addedRemotes, logger);
  await remotes.fill();
  const edge = await openEdge(parts, {
    config,
    loaded,
    plugins,
    dataDir,
    memory,
    store,
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

interface Foundation {
  readonly config: Config;
  /** Absolute. */
  readonly dataDir: string;
  readonly memory: Memory;
  readonly meters: Meters;
  readonly logger: Logger;
}

interface Edge {
  readonly baseUrl: string;
  readonly stopAsked: Promise<void>;
  /** From now on `/readyz` goes by the states of the servers. */
  markStarted(): void;
}

/** Gateway, listeners, and the file by which the command line finds them. */
async function openEdge(
  parts: AsyncDisposableStack,
  base: Foundation & {
    readonly store: Store;
    readonly pins: PinGate;
    readonly identity: Identity;
    readonly pool: Pool;
    readonly hosts: Hosts;
    readonly servers: Servers;
    readonly remotes: RemoteRoster;
    readonly loaded: LoadedConfig;
    readonly plugins: PluginParts;
  },
): Promise<Edge> {
  const { config, dataDir, memory, store, pins, pool, servers, remotes, meters, logger } = base;
  const { loaded, plugins, identity, hosts } = base;
  const { limits } = config;
  const startedAtMs = Date.now();
  const bundles = createBundles({
    config: config.bundles,
    added: (await store.addedBundles.all()) as Record<string, BundleSettings>,
    store: store.addedBundles,
  });
  const gateway = createGateway({
    pool,
    bundles,
    alwaysListed: matchesAny(config.toolSearch.listed),
    limits: { maxSessions: limits.maxSessions, idleMs: limits.sessionIdleMs },
    onCall: meters.onCall,
    onIncident: meters.incidents.note,
  });
  const metrics = await openMetrics(parts, { loaded, plugins, pool, hosts, gateway, memory, meters, logger });
  parts.defer(() => gateway.close());
  const nextRequestId = createRequestIds();
  const stop = Promise.withResolvers<void>();
  let baseUrl = '';
  let isStarted = false;
  const listeners = await listen({
    ...config,
    authenticate: identity.authenticate,
    onRefused: meters.onRefused,
    bodyLimitBytes: limits.bodyBytes,
    gateway,
    pool,
    memory,
    logger,
    nextRequestId,
    git: createGitEndpoint({ repositories: new Map([['default', memory.gitAccess]]), logger }),
    metrics: () => metrics.scrape(),
    isReady: () =>
      isStarted && pool.instances().every(({ state }) => state !== 'starting' && state !== 'unhealthy'),
    handlers: {
      ...statusRoutes({
        pool,
        gateway,
        memory,
        dataDir,
        startedAtMs,
        version: product.version,
        config: () => servers.reload.status(),
        baseUrl: () => baseUrl,
        stop: () => stop.resolve(),
      }),
      ...serversRoutes({
        pool,
        registry: servers.roster,
        bulk: servers.bulk,
        scales: store.scaleBounds,
        baseUrl: () => baseUrl,
      }),
      ...pinsRoutes(pool, pins),
      ...deploymentsRoutes(servers.deployer),
      ...discoveryRoutes(servers.routes),
      ...toolsRoutes(gateway, nextRequestId),
      ...bundlesRoutes(bundles, gateway, () => baseUrl),
      ...memoryRoutes(memory, nextRequestId),
      ...remotesRoutes({ memory, registry: remotes, nextRequestId }),
    },
  });
  ({ baseUrl } = listeners);
  parts.use(listeners);
  parts.defer(() => listeners.drain(limits.drainMs));
  const addressFile = join(dataDir, 'coordinator.json');
  const startedAt = new Date(startedAtMs).toISOString();
  const address = { url: baseUrl, pid: process.pid, startedAt, key: identity.localKey };
  // That of a coordinator that was killed may be open to others.
  await rm(addressFile, { force: true });
  await writeFile(addressFile, `${JSON.stringify(address)}\n`, { mode: 0o600 });
  parts.defer(() => rm(addressFile, { force: true }));
  return { baseUrl, stopAsked: stop.promise, markStarted: () => void (isStarted = true) };
}
