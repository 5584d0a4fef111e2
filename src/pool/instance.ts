/** One server instance: its replicas, what it offers, and the calls that go through it. */

import type { InstanceSpec } from '../catalog/instance-spec.ts';
import type { Listing, ListingStore } from '../catalog/listing.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import { createEmitter, type Emitter } from '../kernel/events.ts';
import type { JsonObject, RpcNotification } from '../kernel/json-rpc.ts';
import type { Logger } from '../kernel/log.ts';
import type { McpLogLevel } from '../kernel/protocol.ts';
import type { Connection, ConnectionEvents, RequestOptions } from '../transport/connection.ts';
import { type BackoffOptions, restartBackoff } from './backoff.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { type InstanceState, stateOf } from './instance-state.ts';
import { loadListing } from './load-listing.ts';
import { createLogRing, type LogRing } from './log-ring.ts';
import { createRelist } from './relist.ts';
import { createReplica, type Replica } from './replica.ts';
import { createRoundRobin } from './selection/round-robin.ts';

export type { Connection };

export type InstanceEvent =
  | { readonly kind: 'state' }
  | { readonly kind: 'listing' }
  | { readonly kind: 'notification'; readonly notification: RpcNotification };

/** Opens a connection to what a spec describes. */
export type Connect = (
  spec: InstanceSpec,
  events: ConnectionEvents,
  onStderr: (line: string) => void,
  /** Ends a connection attempt under way. */
  signal: AbortSignal,
) => Promise<Connection>;

export interface InstanceDependencies {
  readonly connect: Connect;
  readonly listings: ListingStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest time for one request unless the spec says otherwise; default 60,000. */
  readonly requestTimeoutMs?: number;
  readonly backoff?: BackoffOptions;
  /** Quiet time after a list_changed before the lists are read again, milliseconds. */
  readonly relistDelayMs?: number;
}

export interface Instance {
  readonly spec: InstanceSpec;
  readonly state: InstanceState;
  readonly reason: string | undefined;
  readonly listing: Listing | undefined;
  readonly logs: LogRing;
  readonly events: Emitter<InstanceEvent>;
  readonly counters: { readonly calls: number; readonly errors: number; readonly restarts: number };
  readonly startedAtMs: number | undefined;
  readonly pid: number | undefined;
  /** Calls that wait for a connection or for an answer. */
  readonly inFlight: InFlight;
  /** What a legacy upstream was last told to log at. */
  readonly logLevel: McpLogLevel | undefined;
  /** Starts every replica; resolves when all are ready. Rejects UPSTREAM_UNAVAILABLE with the first reason. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops for good: whoever still holds it can start it no more. */
  retire(): Promise<void>;
  /** Starts a lazy instance once to see what it offers, and lets it sleep again. */
  learn(): Promise<void>;
  /** A live connection by the selection policy; starts the instance if need be. */
  acquire(): Promise<Connection>;
  /** True while the connection is one of this instance's. */
  isLive(connection: Connection): boolean;
  /** One counted request, over `via` or over a connection by the selection policy. */
  request(
    method: string,
    params?: JsonObject,
    options?: RequestOptions,
    via?: Connection,
  ): Promise<JsonObject>;
  /** Tells every live connection of the legacy era. */
  notify(method: string, params?: JsonObject): void;
  /** Sets the level a legacy upstream logs at, now and after each restart. */
  setLogLevel(level: McpLogLevel): Promise<void>;
  subscribe(uri: string): Promise<void>;
  unsubscribe(uri: string): Promise<void>;
}

const listChanged = /^notifications\/(tools|prompts|resources)\/list_changed$/;

export async function createInstance(spec: InstanceSpec, deps: InstanceDependencies): Promise<Instance> {
  const { clock, logger } = deps;
  const events = createEmitter<InstanceEvent>((error) =>
    logger.error({ err: error, server: spec.id }, 'listener failed'),
  );
  const logs = createLogRing(() => clock.now());
  const policy = createRoundRobin();
  const subscribed = new Set<string>();
  const counters = { calls: 0, errors: 0 };
  const inFlight = createInFlight();
  const timeoutMs = spec.timeoutMs ?? deps.requestTimeoutMs;
  let listing = await deps.listings.get(spec.listingKey);
  let startedAtMs: number | undefined;
  let stoppedByHand = false;
  let isRetired = false;
  /** Calls and subscriptions that asked for a connection so far. */
  let wanted = 0;
  /** It said that its lists changed while none of its connections was open yet. */
  let isListingOld = false;
  let logLevel: McpLogLevel | undefined;

  async function readListing(connection: Connection): Promise<void> {
    const fresh = await loadListing(connection, spec.id);
    const changed = JSON.stringify(fresh) !== JSON.stringify(listing);
    listing = fresh;
    if (!changed) return;
    events.emit({ kind: 'listing' });
    // Kept for the next start only: a full disk is no reason to do without the server now.
    await deps.listings
      .put(spec.listingKey, fresh)
      .catch((error: unknown) =>
        logger.warn({ server: spec.id, problem: messageOf(error) }, 'could not keep what it offers'),
      );
  }

  const relist = createRelist({
    clock,
    delayMs: deps.relistDelayMs ?? 100,
    async run() {
      const live = replicas.find((replica) => replica.connection)?.connection;
      isListingOld = live === undefined;
      if (!live) return;
      await readListing(live).catch((error: unknown) =>
        logger.warn({ server: spec.id, problem: messageOf(error) }, 'relist failed'),
      );
    },
  });

  function onNotification(notification: RpcNotification): void {
    if (listChanged.test(notification.method)) relist.request();
    else events.emit({ kind: 'notification', notification });
  }

  async function sendLogLevel(connection: Connection, level: McpLogLevel): Promise<void> {
    if (connection.era !== 'legacy') return;
    await connection
      .request('logging/setLevel', { level })
      .catch((error: unknown) =>
        logger.warn({ server: spec.id, problem: messageOf(error) }, 'could not set the log level'),
      );
  }

  async function onOpen(connection: Connection, index: number): Promise<void> {
    // Instances that share a listing key are built from the same definition: the first one's answer serves all.
    if (spec.launch.kind !== 'in-process' || listing === undefined) await readListing(connection);
    startedAtMs = clock.now();
    if (isListingOld) relist.request();
    if (logLevel !== undefined) await sendLogLevel(connection, logLevel);
    if (index !== 0) return;
    await Promise.all(
      [...subscribed].map((uri) =>
        connection
          .subscribe(uri)
          .catch((error: unknown) =>
            logger.warn({ server: spec.id, uri, problem: messageOf(error) }, 'could not subscribe again'),
          ),
      ),
    );
  }

  const replicas: Replica[] = Array.from({ length: spec.replicas }, (_, index) =>
    createReplica({
      server: spec.id,
      lazy: spec.lazy,
      clock,
      backoff: deps.backoff ?? restartBackoff,
      open: (connectionEvents, signal) =>
        deps.connect(spec, connectionEvents, (line) => logs.push(line), signal),
      onOpen: (connection) => onOpen(connection, index),
      onNotification,
      onChange: () => events.emit({ kind: 'state' }),
    }),
  );

  function pick(): Replica {
    const ready = replicas.filter((replica) => replica.state === 'ready');
    const chosen = policy.pick(ready.length > 0 ? ready : replicas);
    if (!chosen)
      throw new AppError('UPSTREAM_UNAVAILABLE', { server: spec.id, problem: 'it has no replicas' });
    return chosen;
  }

  function assertMayRun(): void {
    if (!stoppedByHand && !isRetired) return;
    const problem = isRetired
      ? 'it was removed'
      : `it is stopped; start it with: git-memory-mcp servers start ${spec.id}`;
    throw new AppError('UPSTREAM_UNAVAILABLE', { server: spec.id, problem });
  }

  async function acquire(): Promise<Connection> {
    assertMayRun();
    wanted += 1;
    return await inFlight.run(() => pick().acquire());
  }

  async function stop(): Promise<void> {
    stoppedByHand = true;
    relist.cancel();
    events.emit({ kind: 'listing' });
    await Promise.all(replicas.map((replica) => replica.stop()));
  }

  const instance: Instance = {
    spec,
    events,
    logs,
    inFlight,
    get logLevel() {
      return logLevel;
    },
    get state() {
      return stateOf(spec, replicas, stoppedByHand);
    },
    get reason() {
      return replicas.find((replica) => replica.reason !== undefined)?.reason;
    },
    get listing() {
      return listing;
    },
    get counters() {
      return { ...counters, restarts: replicas.reduce((sum, replica) => sum + replica.restarts, 0) };
    },
    get startedAtMs() {
      return startedAtMs;
    },
    get pid() {
      return replicas.find((replica) => replica.connection?.pid !== undefined)?.connection?.pid;
    },
    async start() {
      const wasStopped = stoppedByHand;
      stoppedByHand = false;
      assertMayRun();
      if (wasStopped) events.emit({ kind: 'listing' });
      await Promise.all(replicas.map((replica) => replica.acquire()));
    },
    stop,
    async retire() {
      isRetired = true;
      await stop();
    },
    async learn() {
      assertMayRun();
      const before = wanted;
      await replicas[0]?.acquire();
      // Whoever called meanwhile is using it.
      if (wanted === before) await replicas[0]?.stop();
    },
    acquire,
    isLive: (connection) => replicas.some((replica) => replica.connection === connection),
    async request(method, params, options, via) {
      counters.calls += 1;
      try {
        return await inFlight.run(async () => {
          const connection = via ?? (await acquire());
          return await connection.request(method, params, { timeoutMs, ...options });
        });
      } catch (error) {
        // A client that changed its mind says nothing about the server's health.
        if (!isAppError(error, 'REQUEST_CANCELLED')) counters.errors += 1;
        throw error;
      }
    },
    notify(method, params) {
      for (const replica of replicas) {
        if (replica.connection?.era === 'legacy') replica.connection.notify(method, params);
      }
    },
    async setLogLevel(level) {
      if (level === logLevel) return;
      logLevel = level;
      const live = replicas.flatMap(({ connection }) => connection ?? []);
      await Promise.all(live.map((connection) => sendLogLevel(connection, level)));
    },
    async subscribe(uri) {
      if (subscribed.has(uri)) return;
      assertMayRun();
      wanted += 1;
      const first = await replicas[0]?.acquire();
      await first?.subscribe(uri);
      subscribed.add(uri);
    },
    async unsubscribe(uri) {
      if (!subscribed.delete(uri)) return;
      await replicas[0]?.connection?.unsubscribe(uri);
    },
  };
  return instance;
}
