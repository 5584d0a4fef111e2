/** Gateway and listeners, wired. Part of the composition root, like `coordinator.ts`. */

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PluginParts } from './catalog/load-plugins.ts';
import type { PinGate } from './catalog/pins/pin-gate.ts';
import type { LoadedConfig } from './config/load-config.ts';
import type { Config } from './config/schema.ts';
import { type BundleSettings, createBundles } from './gateway/bundles/bundles.ts';
import { matchesAny } from './gateway/name-patterns.ts';
import { createGateway } from './gateway/gateway.ts';
import { createGitEndpoint } from './http/git/git-endpoint.ts';
import { listen } from './http/listen.ts';
import { bundlesRoutes } from './http/routes/bundles.ts';
import { deploymentsRoutes } from './http/routes/deployments.ts';
import { discoveryRoutes } from './http/routes/discovery.ts';
import { memoryRoutes } from './http/routes/memory.ts';
import { pinsRoutes } from './http/routes/pins.ts';
import { remotesRoutes } from './http/routes/remotes.ts';
import { serversRoutes } from './http/routes/servers.ts';
import { statusRoutes } from './http/routes/status.ts';
import { toolsRoutes } from './http/routes/tools.ts';
import type { Logger } from './kernel/log.ts';
import { product } from './kernel/product.ts';
import { createRequestIds } from './kernel/request-ids.ts';
import type { RemoteRoster } from './memory-remotes.ts';
import type { Memory } from './memory/open-memory.ts';
import type { Pool } from './pool/pool.ts';
import type { Meters } from './metrics/create-meters.ts';
import type { Identity } from './open-identity.ts';
import { openGuards } from './open-guards.ts';
import { openMetrics } from './open-metrics.ts';
import type { Servers } from './open-servers.ts';
import type { Store } from './store/open-store.ts';
import type { TenantStore } from './store/tenant-store.ts';
import type { Hosts } from './transport/in-process/hosts.ts';

interface Foundation {
  readonly config: Config;
  /** Absolute. */
  readonly dataDir: string;
  readonly memory: Memory;
  readonly meters: Meters;
  readonly logger: Logger;
}

export interface Edge {
  readonly baseUrl: string;
  readonly stopAsked: Promise<void>;
  /** From now on `/readyz` goes by the states of the servers. */
  markStarted(): void;
}

/** Gateway, listeners, and the file by which the command line finds them. */
export async function openEdge(
  parts: AsyncDisposableStack,
  base: Foundation & {
    readonly store: Store;
    /** What of it belongs to whoever runs this. */
    readonly own: TenantStore;
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
  const { config, dataDir, memory, store, own, pins, pool, servers, remotes, meters, logger } = base;
  const { loaded, plugins, identity, hosts } = base;
  const { limits } = config;
  const startedAtMs = Date.now();
  const bundles = createBundles({
    config: config.bundles,
    added: (await own.addedBundles.all()) as Record<string, BundleSettings>,
    store: own.addedBundles,
  });
  const gateway = createGateway({
    pool,
    bundles,
    alwaysListed: matchesAny(config.toolSearch.listed),
    limits: { maxSessions: limits.maxSessions, idleMs: limits.sessionIdleMs },
    onCall: meters.onCall,
    onIncident: meters.incidents.note,
    guard: openGuards(),
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
        store: store.place,
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
        scales: own.scaleBounds,
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
