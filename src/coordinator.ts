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
import { compileGuardrails } from './guardrails/compile-guardrails.ts';
import { createDefinitionGuard } from './guardrails/guard-definitions.ts';
import { assertMayBind } from './http/guards.ts';
import { toServerItem } from './http/routes/servers.ts';
import { systemClock } from './kernel/clock.ts';
import { AppError } from './kernel/errors.ts';
import type { Logger } from './kernel/log.ts';
import { createRedactor, type Redactor } from './kernel/redact-values.ts';
import { localOwner } from './kernel/principal.ts';
import { memoryEmbeddings } from './memory-embeddings.ts';
import { memoryKeyring } from './memory-keyring.ts';
import { createRemoteRoster, memoryRemotes } from './memory-remotes.ts';
import { openMemory } from './memory/open-memory.ts';
import type { InstanceDependencies } from './pool/instance-types.ts';
import type { StartReport } from './pool/pool.ts';
import { createMeters } from './metrics/create-meters.ts';
import { openConfiguredCertificate } from './open-certificate.ts';
import { openAudit } from './open-audit.ts';
import { openIdentity } from './open-identity.ts';
import { openLimits } from './open-limits.ts';
import { openPool } from './open-pool.ts';
import { openUpstreamAccess } from './open-upstream-access.ts';
import { openSecrets } from './open-secrets.ts';
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
  /** Learns the secrets that are read, so that the logger can leave them out. */
  readonly redactor?: Redactor;
}

export interface Coordinator extends AsyncDisposable {
  /** The MCP endpoint of all servers. */
  readonly url: string;
  /** Servers that did not come up; those that could be taken keep trying. */
  readonly failures: readonly Refusal[];
  servers(): ServerItem[];
  /** Keys are asked for, and nobody has one yet. */
  readonly lacksKeys: boolean;
  /** With which the first owner signs in, once; for the terminal of who started it, and for nothing that is kept. */
  readonly ownerLink: string | undefined;
  /** Resolves when someone asked over REST to stop. */
  readonly stopped: Promise<void>;
}

/** Starts everything; resolves when each server asked for is up or has failed its first try. */
export async function startCoordinator(
  given: LoadedConfig,
  options: CoordinatorOptions,
): Promise<Coordinator> {
  const { config } = given;
  const { logger, redactor = createRedactor(), loadConfig } = options;
  assertMayBind(config.host, config.auth.mode === 'required');
  const dataDir = resolve(config.dataDir);
  await using parts = new AsyncDisposableStack();
  // The memory is private to whoever runs this.
  await mkdir(dataDir, { recursive: true, mode: 0o700 });

  const store = parts.use(await openStore(dataDir, { postgres: await resolveStore(given), logger }));
  const secrets = await openSecrets(parts, given, { rows: store.secrets, logger });
  const withSecrets = (bare: LoadedConfig) => ({ ...bare, secrets: secrets.access(redactor.add) });
  const loaded = withSecrets(given);
  const upstream = openUpstreamAccess({ local: secrets.local, noted: redactor.add, pool: () => pool });
  const certificate = await openConfiguredCertificate(parts, loaded, logger);
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
  const audit = await openAudit(parts, { loaded, dataDir, memory, logger });
  const identity = await openIdentity(parts, { config, dataDir, store, meters, audit, logger });
  const limiting = await openLimits(parts, { loaded, store, meters, logger });
  const own = await openTenantStore(store, localOwner.tenant);
  const approved = (await own.approvals.all()) as ReadonlyMap<string, Approval>;
  const guardrails = compileGuardrails(config.guardrails);
  const definitions = createDefinitionGuard(guardrails, { logger, onFinding: meters.onFinding });
  const pins = createPinGate({
    approved,
    store: own.approvals,
    logger,
    suspect: (spec, tools, instructions) => definitions.suspect(spec, tools, instructions),
  });
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
    redact: redactor.redact,
    credentials: upstream.credentialsFor,
  });
  const servers = await openServers(parts, {
    loaded,
    plugins,
    pool,
    store: own,
    logger,
    load: watchLoads(loadConfig && (async () => withSecrets(await loadConfig())), audit?.noteConfig),
    onReload: (next) => limiting.limits.apply(next.config.limits),
  });
  await secrets.watch(parts, async () => {
    upstream.credentials.forgetSecrets();
    await servers.roster.refresh(({ usesSecrets }) => usesSecrets === true);
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
    certificate,
    guardrails,
    limiting,
    audit,
    pool,
    hosts,
    servers,
    remotes,
    secrets,
    upstream,
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
    ownerLink: await identity.people?.ownerLink(),
    stopped: edge.stopAsked,
    [Symbol.asyncDispose]: () => live.disposeAsync(),
  };
}

/** Tells of each config that is loaded. */
function watchLoads(
  load: (() => Promise<LoadedConfig>) | undefined,
  tell: ((loaded: LoadedConfig) => void) | undefined,
): (() => Promise<LoadedConfig>) | undefined {
  if (!load || !tell) return load;
  return async () => {
    const loaded = await load();
    tell(loaded);
    return loaded;
  };
}
