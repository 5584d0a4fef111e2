/**
 * The composition root: builds the parts in order, hands each what it needs, and takes them down in reverse.
 * The only file that knows them all.
 */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { builtInServers } from './catalog/built-in-servers.ts';
import { createPortLedger } from './catalog/categories.ts';
import type { Listing, ListingStore } from './catalog/listing.ts';
import { planBuiltIns } from './catalog/plan-built-ins.ts';
import { specFromEntry } from './catalog/plan-entries.ts';
import type { LoadedConfig } from './config/load-config.ts';
import { parseServerEntry } from './config/parse-server-entry.ts';
import { resolveSecrets } from './config/resolve-secrets.ts';
import type { ServerEntryConfig } from './config/server-entry.ts';
import type { ServerItem } from './contract/rest.ts';
import { createGateway } from './gateway/gateway.ts';
import { assertMayBind } from './http/guards.ts';
import { listen } from './http/listen.ts';
import { memoryRoutes } from './http/routes/memory.ts';
import { type ServerRegistry, serversRoutes, toServerItem } from './http/routes/servers.ts';
import { statusRoutes } from './http/routes/status.ts';
import { toolsRoutes } from './http/routes/tools.ts';
import { systemClock } from './kernel/clock.ts';
import { AppError, messageOf } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import { product } from './kernel/product.ts';
import type { MemoryInput, MemoryOperation } from './kernel/memory-operations.ts';
import { createRequestIds } from './kernel/request-ids.ts';
import { openMemory } from './memory/open-memory.ts';
import { createConnect } from './pool/connect.ts';
import { createPool, type Pool, type StartReport } from './pool/pool.ts';
import { openStore, type Store } from './store/open-store.ts';
import { createHosts } from './transport/in-process/hosts.ts';
import { createProcessLedger } from './transport/process-ledger.ts';

export interface CoordinatorOptions {
  readonly logger: Logger;
  readonly onProgress?: (report: StartReport) => void;
  /** Ends a start that is under way. */
  readonly signal?: AbortSignal;
}

export interface Coordinator extends AsyncDisposable {
  /** The MCP endpoint of all servers. */
  readonly url: string;
  /** Servers that did not come up in time; they keep trying. */
  readonly failures: readonly { id: string; reason: string }[];
  servers(): ServerItem[];
  /** Resolves when someone asked over REST to stop. */
  readonly stopped: Promise<void>;
}

/** Listings of built-ins live for this process only: their code may change between two starts. */
function createListingStore(store: Store): ListingStore {
  const builtIn = new Map<string, Listing>();
  const isBuiltIn = (key: string) => key.startsWith('built-in:') || key.startsWith('in-process:');
  return {
    get: async (key) =>
      isBuiltIn(key) ? builtIn.get(key) : ((await store.listings.get(key)) as Listing | undefined),
    async put(key, listing) {
      if (isBuiltIn(key)) builtIn.set(key, listing);
      else await store.listings.put(key, listing);
    },
  };
}

/** Starts everything; resolves when each server asked for is up or has failed its first try. */
export async function startCoordinator(
  loaded: LoadedConfig,
  options: CoordinatorOptions,
): Promise<Coordinator> {
  const { config } = loaded;
  const { logger } = options;
  assertMayBind(config.host);
  const startedAtMs = Date.now();
  const dataDir = resolve(config.dataDir);
  await using parts = new AsyncDisposableStack();
  // The memory is private to whoever runs this.
  await mkdir(dataDir, { recursive: true, mode: 0o700 });

  const memory = parts.use(
    await openMemory({ dataDir, logger, flushIntervalMs: config.memory.flushIntervalMs }),
  );
  const store = parts.use(await openStore(dataDir));
  const ledger = parts.use(createProcessLedger(join(dataDir, 'processes')));
  const reaped = await ledger.reapOrphans();
  if (reaped > 0) logger.warn({ processes: reaped }, 'ended processes that a former coordinator left behind');
  const hosts = parts.use(
    createHosts({
      count: config.hosts,
      logger,
      memory: (operation, input, caller) =>
        memory.call(operation, input as MemoryInput<MemoryOperation>, caller),
    }),
  );
  const connect = createConnect({
    hosts,
    ledger,
    logger,
    dataDir,
  });
  const pool = parts.use(
    createPool({
      connect,
      listings: createListingStore(store),
      clock: systemClock,
      logger,
      requestTimeoutMs: config.limits.requestTimeoutMs,
    }),
  );
  const registry = await fillPool(pool, loaded, store, logger);

  const gateway = createGateway({
    pool,
    limits: { maxSessions: config.limits.maxSessions, idleMs: config.limits.sessionIdleMs },
  });
  parts.defer(() => gateway.close());

  const nextRequestId = createRequestIds();
  const stop = Promise.withResolvers<void>();
  let baseUrl = '';
  let isStarted = false;
  const listeners = await listen({
    host: config.host,
    port: config.port,
    allowedHosts: config.allowedHosts,
    allowedOrigins: config.allowedOrigins,
    instancePorts: config.instancePorts,
    bodyLimitBytes: config.limits.bodyBytes,
    gateway,
    pool,
    logger,
    nextRequestId,
    isReady: () =>
      isStarted && pool.instances().every(({ state }) => state !== 'starting' && state !== 'unhealthy'),
    handlers: {
      ...statusRoutes({
        pool,
        gateway,
        memory,
        version: product.version,
        dataDir,
        startedAtMs,
        baseUrl: () => baseUrl,
        stop: () => stop.resolve(),
      }),
      ...serversRoutes({ pool, registry, baseUrl: () => baseUrl }),
      ...toolsRoutes(gateway, nextRequestId),
      ...memoryRoutes(memory, nextRequestId),
    },
  });
  baseUrl = listeners.baseUrl;
  parts.use(listeners);
  parts.defer(() => listeners.drain(config.limits.drainMs));
  const addressFile = join(dataDir, 'coordinator.json');
  await writeFile(
    addressFile,
    `${JSON.stringify({ url: baseUrl, pid: process.pid, startedAt: new Date(startedAtMs).toISOString() })}\n`,
  );
  parts.defer(() => rm(addressFile, { force: true }));

  options.signal?.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    options.signal?.addEventListener('abort', () => reject(new AppError('SHUTTING_DOWN')), { once: true });
  });
  const failures = await Promise.race([
    pool.startAll(config.limits.startConcurrency, options.onProgress),
    aborted,
  ]);
  for (const failure of failures)
    logger.warn({ server: failure.id, reason: failure.reason }, 'server did not start');
  isStarted = true;

  const live = parts.move();
  return {
    url: `${baseUrl}/mcp`,
    failures,
    servers: () => pool.instances().map(toServerItem),
    stopped: stop.promise,
    [Symbol.asyncDispose]: () => live.disposeAsync(),
  };
}

/** Puts the configured, the built-in and the added servers into the pool, and gives the way to add more. */
async function fillPool(
  pool: Pool,
  loaded: LoadedConfig,
  store: Store,
  logger: Logger,
): Promise<ServerRegistry> {
  const { config, baseDir, file } = loaded;
  const ports = createPortLedger();
  const toSpec = async (name: string, entry: ServerEntryConfig, source: 'config' | 'added') =>
    specFromEntry(name, await resolveSecrets(entry, { baseDir, file, name }), source, ports, builtInServers);

  for (const [name, entry] of Object.entries(config.mcpServers)) {
    if (entry.disabled !== true) await pool.add(await toSpec(name, entry, 'config'));
  }
  for (const spec of planBuiltIns(config.servers, builtInServers, ports, config.builtIn))
    await pool.add(spec);
  for (const { name, entry } of await store.addedServers.all()) {
    try {
      await pool.add(await toSpec(name, parseServerEntry(name, entry), 'added'));
    } catch (error) {
      logger.error({ server: name, problem: messageOf(error) }, 'an added server could not be brought back');
    }
  }
  return {
    async add(name, entry) {
      const spec = await toSpec(name, parseServerEntry(name, entry), 'added');
      const instance = await pool.add(spec).catch((error: unknown) => {
        ports.release(spec.port);
        throw error;
      });
      await store.addedServers.put(name, entry);
      // A server that cannot start yet is still added; its state says so and it keeps trying.
      await instance.start().catch((error: unknown) => {
        logger.warn({ server: spec.id, problem: messageOf(error) }, 'server did not start');
      });
      return instance;
    },
    async remove(id) {
      const spec = pool.get(id)?.spec;
      if (!spec) throw new AppError('NOT_FOUND', { what: 'server', id });
      if (spec.source !== 'added') {
        const where =
          spec.source === 'config'
            ? 'the config file: remove it there'
            : 'the number of built-in servers: start fewer';
        throw new AppError('INVALID_INPUT', { field: 'id', problem: `${id} comes from ${where}` });
      }
      await pool.remove(id);
      ports.release(spec.port);
      await store.addedServers.remove(spec.name);
    },
  };
}
