/** Connections to MCP servers that run as child processes and speak over stdin and stdout. */

import { type Clock, systemClock } from '../kernel/clock.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { ChildSpec } from './child/child.ts';
import type { ProcessWatch } from './child/process-watch.ts';
import { openStdioSession, type StdioSession } from './child/stdio-session.ts';
import type { Connection, ConnectionEvents } from './connection.ts';
import type { ProcessLedger } from './process-ledger.ts';
import {
  discoverParams,
  type EraChoice,
  initializeParams,
  type Negotiated,
  readDiscover,
  readInitialize,
} from './protocol/handshake.ts';
import { guardEvents } from './protocol/guard-events.ts';
import { createListen } from './protocol/listen.ts';
import { problemOf } from './protocol/problem-of.ts';

export interface StdioSpec extends ChildSpec {
  /** Default `auto`: the modern era where the server speaks it. */
  readonly era?: EraChoice;
  /** Longest message taken from the server; default 64 MiB. */
  readonly maxMessageBytes?: number;
}

export interface StdioDependencies {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Remembers the child beyond a `kill -9` of this process. */
  readonly ledger?: ProcessLedger;
  /** Holds the child to its limits. */
  readonly processWatch?: ProcessWatch;
  readonly onStderr?: (line: string) => void;
  /** Ends a start under way, child and all; of no effect once the connection is open. */
  readonly signal?: AbortSignal;
}

/** After so long without an answer to `server/discover` the legacy handshake is tried beside it. */
const probeMs = 3000;
/** A server that has refused `initialize` has long read the probe before it. */
const lateProbeMs = 1000;
const defaultStartTimeoutMs = 30_000;
const defaultMaxMessageBytes = 64 * 1024 * 1024;

/**
 * Starts the server and opens a connection to it. Rejects UPSTREAM_UNAVAILABLE when it cannot be started or
 * does not answer in time, UPSTREAM_PROTOCOL when it answers something else; nothing of it is left then.
 */
export async function connectStdio(
  spec: StdioSpec,
  events: ConnectionEvents,
  deps: StdioDependencies,
): Promise<Connection> {
  const era = spec.era ?? 'auto';
  const guarded = guardEvents(spec.server, events, deps.logger);
  try {
    return await attempt(spec, era, guarded, deps);
  } catch (error) {
    // Some legacy servers die of a request before `initialize`: they get one more life without it.
    if (era === 'auto' && error instanceof DiedOfProbe) return await attempt(spec, 'legacy', guarded, deps);
    throw error instanceof DiedOfProbe ? error.reason : error;
  }
}

class DiedOfProbe extends Error {
  readonly reason: unknown;
  constructor(reason: unknown) {
    super('the server ended while it was probed');
    this.reason = reason;
  }
}

async function attempt(
  spec: StdioSpec,
  era: EraChoice,
  events: ConnectionEvents,
  deps: StdioDependencies,
): Promise<Connection> {
  const { server } = spec;
  const clock = deps.clock ?? systemClock;
  let connection: Connection | undefined;
  const session = await openStdioSession(spec, {
    maxMessageBytes: spec.maxMessageBytes ?? defaultMaxMessageBytes,
    logger: deps.logger,
    clock,
    ledger: deps.ledger,
    processWatch: deps.processWatch,
    onStderr: deps.onStderr,
    events,
    onBreak(problem, isOverLimit) {
      if (!connection) return;
      void connection.close();
      const data = { server, problem, ...(isOverLimit && { atFault: true }) };
      events.onClose?.(new AppError('UPSTREAM_FAILED', data));
    },
  });
  const giveUp = () => void session.close();
  deps.signal?.addEventListener('abort', giveUp, { once: true });
  if (deps.signal?.aborted === true) giveUp();
  try {
    const negotiated = await negotiate(session, spec, era, clock);
    if (session.ended !== undefined)
      throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem: session.ended });
    connection = createStdioConnection(session, negotiated, events, clock);
    return connection;
  } catch (error) {
    const hasDied = session.ended !== undefined;
    await session.close();
    const reason = isAppError(error, 'UPSTREAM_PROTOCOL', 'UPSTREAM_UNAVAILABLE')
      ? error
      : new AppError('UPSTREAM_UNAVAILABLE', { server, problem: problemOf(error) }, { cause: error });
    const isGivenUp = deps.signal?.aborted === true;
    throw era === 'auto' && hasDied && !isGivenUp ? new DiedOfProbe(reason) : reason;
  } finally {
    deps.signal?.removeEventListener('abort', giveUp);
  }
}

async function discover(session: StdioSession, server: string, timeoutMs: number): Promise<Negotiated> {
  const answer = await session.request('legacy', 'server/discover', discoverParams(), { timeoutMs });
  const negotiated = readDiscover(answer);
  if (negotiated) return negotiated;
  throw new AppError('UPSTREAM_PROTOCOL', { server, problem: 'its answer to server/discover is unusable' });
}

async function initialize(session: StdioSession, server: string, timeoutMs: number): Promise<Negotiated> {
  const answer = await session.request('legacy', 'initialize', initializeParams(), { timeoutMs });
  const negotiated = readInitialize(server, answer);
  session.notify('notifications/initialized', undefined);
  return negotiated;
}

/**
 * Finds the era. A server that starts slowly has both questions in its pipe; once `initialize` was sent its
 * answer decides, because a server of both eras is then bound to the legacy one.
 */
async function negotiate(
  session: StdioSession,
  spec: StdioSpec,
  era: EraChoice,
  clock: Clock,
): Promise<Negotiated> {
  const { server } = spec;
  const timeoutMs = spec.limits?.startMs ?? defaultStartTimeoutMs;
  if (era === 'modern') return await discover(session, server, timeoutMs);
  if (era === 'legacy') return await initialize(session, server, timeoutMs);

  const startedAtMs = clock.now();
  const probe = discover(session, server, timeoutMs).catch(() => undefined);
  const early = await Promise.race([probe, elapsed(clock, Math.min(probeMs, timeoutMs))]);
  if (early) return early;
  const leftMs = Math.max(startedAtMs + timeoutMs - clock.now(), 1);
  return await initialize(session, server, leftMs).catch(async (error: unknown) => {
    // A modern-only server refuses `initialize`, but answers the probe that it read before.
    const late = await Promise.race([probe, elapsed(clock, lateProbeMs)]);
    if (late) return late;
    throw error;
  });
}

function elapsed(clock: Clock, delayMs: number): Promise<undefined> {
  return new Promise((resolve) => void clock.after(delayMs, () => resolve(undefined)));
}

function createStdioConnection(
  session: StdioSession,
  negotiated: Negotiated,
  events: ConnectionEvents,
  clock: Clock,
): Connection {
  const { era } = negotiated;
  const listen = createListen({
    capabilities: negotiated.server.capabilities,
    open: session.openListen,
    clock,
    onNotification: (notification) => events.onNotification?.(notification),
  });
  if (era === 'modern') listen.start();

  async function close(): Promise<void> {
    listen.close();
    await session.close();
  }

  return {
    ...negotiated,
    pid: session.pid,
    request: (method, params, options = {}) => session.request(era, method, params, options),
    notify: (method, params) => session.notify(method, params),
    async subscribe(uri) {
      if (era === 'modern') await listen.add(uri);
      else await session.request(era, 'resources/subscribe', { uri }, {});
    },
    async unsubscribe(uri) {
      if (era === 'modern') listen.remove(uri);
      else await session.request(era, 'resources/unsubscribe', { uri }, {});
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
