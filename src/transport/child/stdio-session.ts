/** JSON-RPC over one child's pipes, before and after the era is known. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject, RpcError, type RpcMessage } from '../../kernel/json-rpc.ts';
import type { Logger } from '../../kernel/log.ts';
import { type Era, metaKeys } from '../../kernel/protocol.ts';
import { type ParsedMessage, parseMessage } from '../../kernel/result-text.ts';
import type { ConnectionEvents, RequestOptions } from '../connection.ts';
import type { ProcessLedger } from '../process-ledger.ts';
import { brokenAnswers } from '../protocol/broken-answers.ts';
import { type Call, createCalls } from '../protocol/calls.ts';
import { createIncoming } from '../protocol/incoming.ts';
import type { ListenHandlers, OpenListen } from '../protocol/listen.ts';
import { outgoingParams } from '../protocol/outgoing-params.ts';
import { createServerRequests } from '../protocol/server-requests.ts';
import { type ChildSpec, spawnChild } from './child.ts';
import type { ProcessWatch } from './process-watch.ts';
import { createOutbox, type Outbox } from './outbox.ts';

export interface StdioSession {
  readonly pid: number;
  request(
    era: Era,
    method: string,
    params: JsonObject | undefined,
    options: RequestOptions,
  ): Promise<JsonObject>;
  notify(method: string, params: JsonObject | undefined): void;
  readonly openListen: OpenListen;
  /** Why the child is gone; undefined while it is there. */
  readonly ended: string | undefined;
  close(): Promise<void>;
}

export interface StdioSessionOptions {
  readonly maxMessageBytes: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ledger?: ProcessLedger | undefined;
  readonly processWatch?: ProcessWatch | undefined;
  readonly onStderr?: ((line: string) => void) | undefined;
  readonly events: ConnectionEvents;
  /** The child is gone and it was not our doing. */
  readonly onBreak: (problem: string, isOverLimit: boolean) => void;
}

export async function openStdioSession(spec: ChildSpec, options: StdioSessionOptions): Promise<StdioSession> {
  const { server } = spec;
  const { logger, clock, maxMessageBytes } = options;
  const listens = new Map<unknown, ListenHandlers>();
  let outbox: Outbox | undefined;
  let ended: string | undefined;
  let isClosing = false;
  let hasWarned = false;

  function send(message: RpcMessage, call?: Call): void {
    const refusal = ended ?? (isClosing ? 'the connection is closed' : undefined);
    if (refusal !== undefined) throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem: refusal });
    if (outbox?.send(`${JSON.stringify(message)}\n`, call)) return;
    throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem: 'it does not read its input' });
  }

  /** For messages that nobody waits for: there is no one to tell that they got lost. */
  function post(message: RpcMessage): void {
    try {
      send(message);
    } catch (error) {
      logger.debug({ server, problem: messageOf(error) }, 'message not sent');
    }
  }

  const calls = createCalls({
    server,
    clock,
    onSettle: (call) => serverRequests.dropOwner(call),
    onAbandon(call, reason) {
      if (!call.sent) outbox?.takeBack(call);
      else if (call.method !== 'initialize') {
        const params = {
          requestId: call.id,
          reason: reason === 'timeout' ? 'timed out' : 'cancelled by the client',
        };
        post({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
      }
    },
  });
  const serverRequests = createServerRequests({ server, calls, send: post });
  const incoming = createIncoming({
    calls,
    serverRequests,
    events: options.events,
    listen: (message) => routeListen(listens, message),
    onInvalid: () => warnOnce('it sent JSON that is no JSON-RPC message'),
  });

  function warnOnce(problem: string): void {
    if (hasWarned) return;
    hasWarned = true;
    logger.warn({ server, problem }, 'output skipped');
  }

  /** Whoever waits for an answer that was cut off waits in vain. */
  function rejectBroken(line: string): void {
    for (const id of brokenAnswers(line)) {
      const call = calls.get(id);
      if (call)
        calls.reject(call, new AppError('UPSTREAM_PROTOCOL', { server, problem: 'its answer is cut off' }));
    }
  }

  function onLine(line: string): void {
    if (line.trim() === '') return;
    let parsed: ParsedMessage;
    try {
      parsed = parseMessage(line);
    } catch {
      rejectBroken(line);
      return warnOnce('it writes lines to stdout that are not JSON; logs belong on stderr');
    }
    const { message, resultText } = parsed;
    try {
      // 2025-03-26 allowed batches.
      if (Array.isArray(message)) for (const one of message) incoming(one);
      else incoming(message, undefined, resultText);
    } catch (error) {
      logger.error({ server, err: error }, 'a listener failed');
    }
  }

  function onEnd(problem: string, isOverLimit: boolean): void {
    ended = problem;
    calls.rejectAll(isClosing ? 'the connection was closed' : problem);
    serverRequests.close();
    const handlers = [...listens.values()];
    listens.clear();
    for (const handler of handlers) handler.onEnd();
    if (!isClosing) options.onBreak(problem, isOverLimit);
  }

  const onErrorLine = (line: string) => options.onStderr?.(line);
  const child = await spawnChild(
    spec,
    { maxLineBytes: maxMessageBytes, ledger: options.ledger, processWatch: options.processWatch },
    { onLine, onErrorLine, onEnd },
  );
  outbox = createOutbox(child, maxMessageBytes);

  return {
    pid: child.pid,
    get ended() {
      return ended;
    },
    request(era, method, params, requestOptions) {
      return calls.run(method, params, requestOptions, (call) => {
        const token = call.callerToken === undefined ? undefined : call.id;
        const outgoing = outgoingParams(era, params, requestOptions.peer, token);
        send({ jsonrpc: '2.0', id: call.id, method, ...(outgoing && { params: outgoing }) }, call);
      });
    },
    notify(method, params) {
      post({ jsonrpc: '2.0', method, ...(params && { params }) });
    },
    openListen(params, handlers) {
      const id = calls.reserveId();
      listens.set(id, handlers);
      post({ jsonrpc: '2.0', id, method: 'subscriptions/listen', params });
      return () => {
        if (!listens.delete(id)) return;
        post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } });
      };
    },
    async close() {
      isClosing = true;
      calls.rejectAll('the connection was closed');
      serverRequests.close();
      listens.clear();
      outbox?.flush();
      await child.end();
    },
  };
}

/** Takes what belongs to a `subscriptions/listen`: messages with its stamp, and its final answer. */
function routeListen(listens: Map<unknown, ListenHandlers>, message: JsonObject): boolean {
  if (listens.size === 0) return false;
  if (message['method'] === undefined) {
    const handlers = listens.get(message['id']);
    if (!handlers) return false;
    listens.delete(message['id']);
    const error = message['error'];
    const isError = isJsonObject(error);
    handlers.onEnd(
      isError ? new RpcError({ code: Number(error['code']), message: String(error['message']) }) : undefined,
    );
    return true;
  }
  const params = message['params'];
  const meta = isJsonObject(params) ? params['_meta'] : undefined;
  const handlers = isJsonObject(meta) ? listens.get(meta[metaKeys.subscriptionId]) : undefined;
  if (!handlers || !isJsonObject(params)) return false;
  const { method } = message;
  if (typeof method !== 'string') return false;
  if (method === 'notifications/subscriptions/acknowledged') {
    handlers.onAcknowledged(isJsonObject(params['notifications']) ? params['notifications'] : {});
  } else handlers.onNotification({ jsonrpc: '2.0', method, params });
  return true;
}
