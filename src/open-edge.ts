/** Gateway and listeners, wired. Part of the composition root, like `coordinator.ts`. */

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PluginParts } from './catalog/load-plugins.ts';
import type { PinGate } from './catalog/pins/pin-gate.ts';
import type { LoadedConfig } from './config/load-config.ts';
import type { Config } from './config/schema.ts';
import { type BundleSettings, createBundles } from './gateway/bundles/bundles.ts';
import { matchesAny } from './kernel/name-patterns.ts';
import { createGateway } from './gateway/gateway.ts';
import type { Guardrails } from './guardrails/compile-guardrails.ts';
import { createGitEndpoint } from './http/git/git-endpoint.ts';
import { listen } from './http/listen.ts';
import { auditRoutes } from './http/routes/audit.ts';
import { bundlesRoutes } from './http/routes/bundles.ts';
import { deploymentsRoutes } from './http/routes/deployments.ts';
import { discoveryRoutes } from './http/routes/discovery.ts';
import { limitsRoutes } from './http/routes/limits.ts';
import { memoryRoutes } from './http/routes/memory.ts';
import { pinsRoutes } from './http/routes/pins.ts';
import { policyRoutes } from './http/routes/policy.ts';
import { remotesRoutes } from './http/routes/remotes.ts';
import { secretsRoutes } from './http/routes/secrets.ts';
import { serversRoutes } from './http/routes/servers.ts';
import { statusRoutes } from './http/routes/status.ts';
import { toolsRoutes } from './http/routes/tools.ts';
import type { Certificate } from './http/tls/certificate.ts';
import { systemClock } from './kernel/clock.ts';
import type { Logger } from './kernel/log.ts';
import { product } from './kernel/product.ts';
import { createRequestIds } from './kernel/request-ids.ts';
import type { RemoteRoster } from './memory-remotes.ts';
import type { Memory } from './memory/open-memory.ts';
import type { Pool } from './pool/pool.ts';
import type { Meters } from './metrics/create-meters.ts';
import type { Audit } from './open-audit.ts';
import type { Identity } from './open-identity.ts';
import { openGuards } from './open-guards.ts';
import type { Limiting } from './open-limits.ts';
import { openMetrics } from './open-metrics.ts';
import { openPolicy } from './open-policy.ts';
import type { Secrets } from './open-secrets.ts';
import type { UpstreamAccess } from './open-upstream-access.ts';
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
    readonly certificate: Certificate | undefined;
    readonly guardrails: Guardrails;
    readonly limiting: Limiting;
    readonly audit: Audit | undefined;
    readonly pool: Pool;
    readonly hosts: Hosts;
    readonly servers: Servers;
    readonly remotes: RemoteRoster;
    readonly loaded: LoadedConfig;
    readonly plugins: PluginParts;
    readonly secrets: Secrets;
    readonly upstream: UpstreamAccess;
  },
): Promise<Edge> {
  const { config, dataDir, memory, store, own, pins, pool, servers, remotes, meters, logger } = base;
  const { loaded, plugins, identity, certificate, guardrails, limiting, audit, hosts } = base;
  const { secrets, upstream } = base;
  const { limits } = config;
  const startedAtMs = Date.now();
  const bundles = createBundles({
    config: config.bundles,
    added: (await own.addedBundles.all()) as Record<string, BundleSettings>,
    store: own.addedBundles,
  });
  const policy = await openPolicy(parts, base);
  const gateway = createGateway({
    pool,
    bundles,
    alwaysListed: matchesAny(config.toolSearch.listed),
    limits: { maxSessions: limits.maxSessions, idleMs: limits.sessionIdleMs },
    onCall: meters.onCall,
    onIncident: meters.incidents.note,
    guard: openGuards({
      audit,
      limits: limiting.limits,
      policy: identity.authenticate && policy,
      guardrails,
      onFinding: meters.onFinding,
      credentials: upstream.guard,
    }),
    onShownChange: identity.authenticate && ((listener) => policy.engine.onChange(listener)),
    shownTo: identity.authenticate && ((principal) => policy.authorizer.shownTo(principal)),
  });
  const metrics = await openMetrics(parts, {
    loaded,
    plugins,
    pool,
    hosts,
    gateway,
    memory,
    certificate,
    meters,
    audit: audit?.figures,
    logger,
    credentials: upstream.credentials.figures,
    expiringSecrets: () => secrets.countExpiring(),
  });
  parts.defer(() => gateway.close());
  const nextRequestId = createRequestIds();
  const stop = Promise.withResolvers<void>();
  let baseUrl = '';
  let isStarted = false;
  const listeners = await listen({
    ...config,
    certificate,
    clock: systemClock,
    authenticate: identity.authenticate,
    authorizer: policy.authorizer,
    ...identity.people?.edge,
    onRefused(refusal) {
      meters.onRefused(refusal.code);
      audit?.onRefused(refusal);
    },
    auditChange: audit?.change,
    bodyLimitBytes: limits.bodyBytes,
    requestLimits: limiting.limits,
    failedKeys: limiting.failedKeys,
    gateway,
    pool,
    memory,
    logger,
    nextRequestId,
    git: createGitEndpoint({
      repositories: new Map([['default', memory.gitAccess]]),
      authorizer: policy.authorizer,
      logger,
      auditChange: audit?.change,
    }),
    signIns: upstream.signIns,
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
      ...limitsRoutes({ ...limiting, authorizer: policy.authorizer }),
      ...deploymentsRoutes(servers.deployer),
      ...discoveryRoutes(servers.routes),
      ...toolsRoutes(gateway, nextRequestId),
      ...auditRoutes(audit?.log),
      ...bundlesRoutes(bundles, gateway, () => baseUrl),
      ...memoryRoutes(memory, policy.authorizer, nextRequestId),
      ...policyRoutes({ ...policy, clock: systemClock, nextRequestId }),
      ...secretsRoutes(secrets.local, () => void secrets.look()),
      ...remotesRoutes({ memory, registry: remotes, nextRequestId }),
    },
  });
  ({ baseUrl } = listeners);
  identity.people?.listensAt(baseUrl);
  upstream.reachedAt(baseUrl);
  parts.use(listeners);
  parts.defer(() => listeners.drain(limits.drainMs));
  const address = {
    url: baseUrl,
    pid: process.pid,
    startedAt: new Date(startedAtMs).toISOString(),
    key: identity.localKey,
  };
  await keepAddressFile(parts, join(dataDir, 'coordinator.json'), address, certificate);
  return { baseUrl, stopAsked: stop.promise, markStarted: () => void (isStarted = true) };
}

/** By this file the command line finds us, with the key and the certificate that it goes by. */
async function keepAddressFile(
  parts: AsyncDisposableStack,
  path: string,
  address: object,
  certificate: Certificate | undefined,
): Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  const write = (leaf: string | undefined): Promise<void> =>
    (writing = writing
      .catch(() => {})
      .then(() =>
        writeFile(path, `${JSON.stringify({ ...address, certificate: leaf })}\n`, { mode: 0o600 }),
      ));
  // That of a coordinator that was killed may be open to others.
  await rm(path, { force: true });
  await write(certificate?.material.leaf);
  parts.defer(async () => {
    await writing.catch(() => {});
    await rm(path, { force: true });
  });
  // A disk that is full keeps the command line out; clients come in as before.
  parts.defer(certificate?.onChange(({ leaf }) => void write(leaf).catch(() => {})) ?? (() => {}));
}
