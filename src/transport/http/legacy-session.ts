/** A legacy session over HTTP: how it is opened, what headers carry it, and how a lost one is opened anew. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject, RpcError } from '../../kernel/json-rpc.ts';
import { mcpHeaders } from '../../kernel/protocol.ts';
import { initializeParams, type Negotiated, readInitialize } from '../protocol/handshake.ts';
import { type ExchangeEnd, failureOf, type HttpClient, rpcErrorIn } from './http-client.ts';

export interface LegacySession {
  readonly negotiated: Negotiated;
  /** Grows with each renewal. */
  readonly generation: number;
  /** The server gave the session an id, so it may also forget it. */
  readonly hasId: boolean;
  headers(): Readonly<Record<string, string>>;
  /**
   * Opens a new session in place of the lost one; requests that notice the loss together share it. Resolves with
   * true for the one of them that brought it about.
   */
  renew(lostGeneration: number): Promise<boolean>;
  /** Tells the server that the session is over; waits at most 2 seconds. */
  end(): Promise<void>;
}

const bodyHeaders = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const endTimeoutMs = 2000;

/**
 * True when a server said that it does not know the session: 404 by the specification, 400 by many servers
 * that follow an SDK example. It has not looked at the request then, which may be sent again.
 */
export function isSessionLost(end: ExchangeEnd): boolean {
  if (end.kind !== 'answered') return false;
  const error = rpcErrorIn(end.body);
  if (end.status === 404) return error?.code !== -32601;
  return end.status === 400 && error !== undefined && /session/i.test(error.message);
}

/** Sends `initialize` and `notifications/initialized`. */
export async function openLegacySession(deps: {
  server: string;
  client: HttpClient;
  clock: Clock;
  timeoutMs: number;
}): Promise<LegacySession> {
  const { server, client } = deps;
  let sessionId: string | undefined;
  let generation = 0;
  let renewing: Promise<void> | undefined;

  async function initialize(): Promise<Negotiated> {
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
    const id = `initialize-${generation}`;
    let newId: string | undefined;
    const exchange = client.exchange(
      {
        method: 'POST',
        headers: bodyHeaders,
        body: JSON.stringify({ jsonrpc: '2.0', id, method: 'initialize', params: initializeParams() }),
      },
      {
        onHead(_, headers) {
          const given = headers[mcpHeaders.sessionId];
          if (typeof given === 'string') newId = given;
        },
        onMessage(message) {
          if (!isJsonObject(message) || message['id'] !== id) return;
          if (isJsonObject(message['result'])) resolve(message['result']);
          else reject(rpcErrorIn(message) ?? new RpcError({ code: -32603, message: 'no result' }));
        },
        onEnd: (end) => reject(failureOf(server, end)),
      },
    );
    const cancelTimer = deps.clock.after(deps.timeoutMs, () => {
      exchange.abort();
      reject(new AppError('UPSTREAM_TIMEOUT', { server, method: 'initialize', timeoutMs: deps.timeoutMs }));
    });
    const result = await promise.finally(cancelTimer);
    const negotiated = readInitialize(server, result);
    sessionId = newId;
    return negotiated;
  }

  function headersNow(): Readonly<Record<string, string>> {
    return {
      ...bodyHeaders,
      [mcpHeaders.protocolVersion]: negotiated.protocolVersion,
      ...(sessionId !== undefined && { [mcpHeaders.sessionId]: sessionId }),
    };
  }

  /** Waits for the server to take the notification: some answer no request before it. */
  async function announce(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const exchange = client.exchange(
      { method: 'POST', headers: sessionHeaders, body },
      { onMessage() {}, onEnd: () => resolve() },
    );
    const cancelTimer = deps.clock.after(endTimeoutMs, () => {
      exchange.abort();
      resolve();
    });
    await promise.finally(cancelTimer);
  }

  /** Until there is a new one the old one goes on: what is sent meanwhile is refused, and sent again with the new one. */
  async function reopen(): Promise<void> {
    negotiated = await initialize();
    sessionHeaders = headersNow();
    generation += 1;
    await announce();
  }

  let negotiated = await initialize();
  /** The same for every message of one session. */
  let sessionHeaders = headersNow();
  await announce();

  return {
    get negotiated() {
      return negotiated;
    },
    get generation() {
      return generation;
    },
    get hasId() {
      return sessionId !== undefined;
    },
    headers: () => sessionHeaders,
    async renew(lostGeneration) {
      if (lostGeneration !== generation && !renewing) return false;
      const isFirst = renewing === undefined;
      renewing ??= reopen().finally(() => {
        renewing = undefined;
      });
      await renewing;
      return isFirst;
    },
    async end() {
      if (sessionId === undefined) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const exchange = client.exchange(
        { method: 'DELETE', headers: sessionHeaders },
        { onMessage() {}, onEnd: () => resolve() },
      );
      const cancelTimer = deps.clock.after(endTimeoutMs, resolve);
      await promise;
      cancelTimer();
      exchange.abort();
    },
  };
}
