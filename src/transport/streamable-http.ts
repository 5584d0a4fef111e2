/** Connections to MCP servers over Streamable HTTP, in either era. */

import { type Clock, systemClock } from '../kernel/clock.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import type { LinkCredentials } from '../kernel/link-credentials.ts';
import type { Logger } from '../kernel/log.ts';
import type { SsrfGuard } from '../kernel/ssrf-guard.ts';
import type { Connection, ConnectionEvents } from './connection.ts';
import { createHttpClient, type HttpClient } from './http/http-client.ts';
import { createLegacyHttpConnection } from './http/legacy-http.ts';
import { openLegacySession } from './http/legacy-session.ts';
import { createModernHttpConnection, createModernHttpSession } from './http/modern-http.ts';
import { guardEvents } from './protocol/guard-events.ts';
import { discoverParams, type EraChoice, readDiscover } from './protocol/handshake.ts';
import { problemOf } from './protocol/problem-of.ts';

export interface HttpSpec {
  /** Id for errors and logs. */
  readonly server: string;
  /** http or https; redirects are followed only to the same origin. */
  readonly url: string;
  /** Sent with every request; credentials go here. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Those that change while the connection is open. */
  readonly credentials?: LinkCredentials;
  /** Default `auto`: the modern era where the server speaks it. */
  readonly era?: EraChoice;
  /** Time for the handshake; default 30,000. */
  readonly timeoutMs?: number;
  /** Longest message taken from the server; default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Only addresses that it lets pass are connected to. */
  readonly guard?: SsrfGuard;
}

export interface HttpDependencies {
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Ends a handshake under way; of no effect once the connection is open. */
  readonly signal?: AbortSignal;
}

const defaultTimeoutMs = 30_000;
const defaultMaxMessageBytes = 64 * 1024 * 1024;
/** A legacy server that never answers an unknown method gets the legacy handshake after so long. */
const probeMs = 5000;

/**
 * Opens a connection. Rejects INVALID_INPUT for a URL that is not http or https, UPSTREAM_UNAVAILABLE when nothing
 * answers or the server refuses, UPSTREAM_PROTOCOL when it speaks no version we know.
 */
export async function connectHttp(
  spec: HttpSpec,
  events: ConnectionEvents,
  deps: HttpDependencies,
): Promise<Connection> {
  const client = createHttpClient({ maxMessageBytes: defaultMaxMessageBytes, ...spec });
  const giveUp = () => void client.close();
  deps.signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await negotiate(client, spec, guardEvents(spec.server, events, deps.logger), deps);
  } catch (error) {
    await client.close();
    if (isAppError(error, 'UPSTREAM_UNAVAILABLE', 'UPSTREAM_PROTOCOL')) throw error;
    throw new AppError(
      'UPSTREAM_UNAVAILABLE',
      { server: spec.server, problem: problemOf(error) },
      { cause: error },
    );
  } finally {
    deps.signal?.removeEventListener('abort', giveUp);
  }
}

async function negotiate(
  client: HttpClient,
  spec: HttpSpec,
  events: ConnectionEvents,
  deps: HttpDependencies,
): Promise<Connection> {
  const { server, era = 'auto', timeoutMs = defaultTimeoutMs } = spec;
  const { logger, clock = systemClock } = deps;
  if (era !== 'legacy') {
    const modern = await connectModern(client, spec, events, { logger, clock });
    if (modern) return modern;
  }
  const session = await openLegacySession({ server, client, clock, timeoutMs });
  return createLegacyHttpConnection({ server, client, session, events, clock, logger });
}

/** Tries `server/discover`; undefined when the era is to be found and the answer does not speak for the modern one. */
async function connectModern(
  client: HttpClient,
  spec: HttpSpec,
  events: ConnectionEvents,
  deps: { logger: Logger; clock: Clock },
): Promise<Connection | undefined> {
  const { server, era = 'auto', timeoutMs = defaultTimeoutMs } = spec;
  let connection: Connection | undefined;
  const session = createModernHttpSession({
    server,
    client,
    events,
    ...deps,
    onGone(problem) {
      if (!connection) return;
      void connection.close();
      events.onClose?.(new AppError('UPSTREAM_FAILED', { server, problem }));
    },
  });
  try {
    const probeTimeoutMs = era === 'auto' ? Math.min(probeMs, timeoutMs) : timeoutMs;
    const answer = await session.request('server/discover', discoverParams(), { timeoutMs: probeTimeoutMs });
    const negotiated = readDiscover(answer);
    if (!negotiated) {
      throw new AppError('UPSTREAM_PROTOCOL', {
        server,
        problem: 'its answer to server/discover is unusable',
      });
    }
    connection = createModernHttpConnection(session, client, negotiated, {
      server,
      events,
      clock: deps.clock,
    });
    return connection;
  } catch (error) {
    session.close();
    // Where nothing listens there is nothing to try again.
    if (era === 'modern' || isAppError(error, 'UPSTREAM_UNAVAILABLE')) throw error;
    return undefined;
  }
}
