/** The legacy era over HTTP (2024-11-05 to 2025-11-25): a session, one POST a message, streams that can be resumed. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { JsonObject, RpcMessage } from '../../kernel/json-rpc.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Connection, ConnectionEvents, RequestOptions } from '../connection.ts';
import { type Call, createCalls } from '../protocol/calls.ts';
import { createIncoming } from '../protocol/incoming.ts';
import { outgoingParams } from '../protocol/outgoing-params.ts';
import { createServerRequests } from '../protocol/server-requests.ts';
import { createGetStream } from './get-stream.ts';
import { type Exchange, type ExchangeEnd, failureOf, type HttpClient } from './http-client.ts';
import { isSessionLost, type LegacySession } from './legacy-session.ts';
import { createLinkCheck } from './link-check.ts';

const checkTimeoutMs = 5000;
const lingerMs = 2000;
/** How often a broken stream is resumed before the call is given up. */
const maxResumptions = 5;
const firstResumeDelayMs = 1000;
const listKinds = ['tools', 'prompts', 'resources'] as const;

export interface LegacyHttpDependencies {
  readonly server: string;
  readonly client: HttpClient;
  readonly session: LegacySession;
  readonly events: ConnectionEvents;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A connection over a session that is open. */
export function createLegacyHttpConnection(deps: LegacyHttpDependencies): Connection {
  const { server, client, session, events, clock, logger } = deps;
  const subscribed = new Set<string>();
  let closing: Promise<void> | undefined;
  let gone: string | undefined;

  const calls = createCalls<Exchange>({
    server,
    clock,
    onAbandon(call, reason) {
      const exchange = call.attachment;
      // The stream ends only when the server has heard why: a mere disconnect is no cancellation in this era.
      const params = {
        requestId: call.id,
        reason: reason === 'timeout' ? 'timed out' : 'cancelled by the client',
      };
      post({ jsonrpc: '2.0', method: 'notifications/cancelled', params }, () => exchange?.abort());
      clock.after(lingerMs, () => exchange?.abort());
    },
    onSettle(call) {
      serverRequests.dropOwner(call);
      const exchange = call.attachment;
      if (exchange?.position()) clock.after(lingerMs, () => exchange.abort());
    },
  });
  const serverRequests = createServerRequests({ server, calls, send: (response) => post(response) });
  const incoming = createIncoming({ calls, serverRequests, events });
  const linkCheck = createLinkCheck(
    () => request('ping', undefined, { timeoutMs: checkTimeoutMs }),
    breakLink,
  );
  const stream = createGetStream({
    client,
    clock,
    headers: () => session.headers(),
    onMessage: (message) => deliver(message, undefined),
    onSessionLost: () => void renew(session.generation).catch(() => {}),
    onBroken: () => linkCheck.run(),
  });

  function breakLink(problem: string): void {
    if (gone !== undefined || closing) return;
    gone = problem;
    shutDown(problem);
    void client.close();
    events.onClose?.(new AppError('UPSTREAM_FAILED', { server, problem }));
  }

  function shutDown(problem: string): void {
    linkCheck.stop();
    stream.close();
    serverRequests.close();
    calls.rejectAll(problem);
  }

  function deliver(message: unknown, owner: Call | undefined, resultText?: string): void {
    try {
      incoming(message, owner, resultText);
    } catch (error) {
      logger.error({ server, err: error }, 'a listener failed');
    }
  }

  /** A message that gets no answer. */
  function post(message: RpcMessage, onDone?: () => void): void {
    const body = JSON.stringify(message);
    client.exchange(
      { method: 'POST', headers: session.headers(), body },
      {
        onMessage() {},
        onEnd(end) {
          if (end.kind !== 'answered' || end.status >= 400)
            logger.debug({ server, end: end.kind }, 'message not taken');
          onDone?.();
        },
      },
    );
  }

  /** Opens a new session and brings it to where the old one was. */
  async function renew(lostGeneration: number): Promise<void> {
    let isFirst: boolean;
    try {
      isFirst = await session.renew(lostGeneration);
    } catch (error) {
      breakLink(`its session was lost and no new one opened: ${messageOf(error)}`);
      throw error;
    }
    if (!isFirst || closing) return;
    logger.info({ server }, 'session lost, opened a new one');
    stream.start();
    for (const uri of subscribed) {
      request('resources/subscribe', { uri }, {}).catch((error: unknown) => {
        logger.warn({ server, uri, problem: messageOf(error) }, 'could not subscribe again');
      });
    }
    // The server was restarted, most likely; nobody else will say that its lists may be others now.
    for (const kind of listKinds) {
      if (!session.negotiated.server.capabilities[kind]) continue;
      events.onNotification?.({ jsonrpc: '2.0', method: `notifications/${kind}/list_changed` });
    }
  }

  function send(call: Call<Exchange>, message: RpcMessage, isRetry: boolean): void {
    const { generation } = session;
    const hadId = session.hasId;
    call.sent = true;
    track(
      call,
      { method: 'POST', headers: session.headers(), body: JSON.stringify(message) },
      (end) => {
        if (!isRetry && hadId && isSessionLost(end)) {
          renew(generation).then(
            () => calls.get(call.id) && send(call, message, true),
            () =>
              calls.reject(
                call,
                failureOf(server, { kind: 'broken', wasSent: false, problem: 'its session was lost' }),
              ),
          );
        } else fail(call, end);
      },
      { count: 0, lastEventId: undefined },
    );
  }

  /** Runs an exchange for a call, and resumes its stream when it ends before the answer. */
  function track(
    call: Call<Exchange>,
    outgoing: Parameters<HttpClient['exchange']>[0],
    onFailure: (end: ExchangeEnd) => void,
    resumed: { readonly count: number; readonly lastEventId: string | undefined },
  ): void {
    const exchange = client.exchange(outgoing, {
      onMessage: (message, resultText) => deliver(message, call, resultText),
      onEnd(end) {
        if (!calls.get(call.id)) return;
        const position = exchange.position();
        const lastEventId = position?.lastEventId ?? resumed.lastEventId;
        const hasJustEnded = end.kind === 'broken' || (end.kind === 'answered' && end.status < 400);
        if (lastEventId === undefined || !hasJustEnded || resumed.count >= maxResumptions)
          return onFailure(end);
        const delayMs = position?.retryMs ?? firstResumeDelayMs;
        clock.after(delayMs, () =>
          resume(call, lastEventId, position?.lastEventId === undefined ? resumed.count + 1 : 1),
        );
      },
    });
    call.attachment = exchange;
  }

  function resume(call: Call<Exchange>, lastEventId: string, count: number): void {
    if (!calls.get(call.id)) return;
    const headers: Record<string, string> = {
      ...session.headers(),
      accept: 'text/event-stream',
      'last-event-id': lastEventId,
    };
    delete headers['content-type'];
    track(call, { method: 'GET', headers }, (end) => failResumed(call, end), { count, lastEventId });
  }

  function fail(call: Call<Exchange>, end: ExchangeEnd): void {
    calls.reject(call, failureOf(server, end));
    if (end.kind === 'broken') linkCheck.run();
  }

  /** The request itself did arrive, whatever became of the stream that was to bring its answer. */
  function failResumed(call: Call<Exchange>, end: ExchangeEnd): void {
    const problem =
      end.kind === 'answered' ? `its stream could not be resumed (HTTP ${end.status})` : end.problem;
    calls.reject(call, new AppError('UPSTREAM_FAILED', { server, problem }));
    if (end.kind === 'broken') linkCheck.run();
  }

  async function request(
    method: string,
    params: JsonObject | undefined,
    options: RequestOptions,
  ): Promise<JsonObject> {
    if (closing || gone !== undefined) {
      throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem: gone ?? 'the connection is closed' });
    }
    return await calls.run(method, params, options, (call) => {
      const token = call.callerToken === undefined ? undefined : call.id;
      const outgoing = outgoingParams('legacy', params, options.peer, token);
      send(call, { jsonrpc: '2.0', id: call.id, method, ...(outgoing && { params: outgoing }) }, false);
    });
  }

  async function shutAndEnd(): Promise<void> {
    shutDown('the connection was closed');
    if (gone === undefined) await session.end();
    await client.close();
  }

  function close(): Promise<void> {
    closing ??= shutAndEnd();
    return closing;
  }

  stream.start();
  return {
    era: 'legacy',
    protocolVersion: session.negotiated.protocolVersion,
    server: session.negotiated.server,
    request: (method, params, options = {}) => request(method, params, options),
    notify: (method, params) => post({ jsonrpc: '2.0', method, ...(params && { params }) }),
    async subscribe(uri) {
      await request('resources/subscribe', { uri }, {});
      subscribed.add(uri);
    },
    async unsubscribe(uri) {
      subscribed.delete(uri);
      await request('resources/unsubscribe', { uri }, {});
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
