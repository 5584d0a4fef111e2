/** The modern era over HTTP (2026-07-28): every request stands alone, one POST each, cancelled by closing its stream. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject, RpcError } from '../../kernel/json-rpc.ts';
import type { Logger } from '../../kernel/log.ts';
import { latestModernVersion, mcpHeaders, namedMethods } from '../../kernel/protocol.ts';
import type { Connection, ConnectionEvents, RequestOptions } from '../connection.ts';
import { type Call, createCalls } from '../protocol/calls.ts';
import { discoverParams, type Negotiated } from '../protocol/handshake.ts';
import { createIncoming } from '../protocol/incoming.ts';
import { createListen, type OpenListen } from '../protocol/listen.ts';
import { outgoingParams } from '../protocol/outgoing-params.ts';
import { createServerRequests } from '../protocol/server-requests.ts';
import { encodeHeaderValue } from '../../kernel/param-headers.ts';
import { type Exchange, failureOf, type HttpClient } from './http-client.ts';
import { createLinkCheck } from './link-check.ts';

/** The field of `params` that `Mcp-Name` repeats; the tasks extension adds its own methods. */
const nameFields: Readonly<Record<string, string>> = {
  ...namedMethods,
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** A token of RFC 9110, section 5.6.2. */
const headerName = /^[\w!#$%&'*+.^`|~-]+$/;
const checkTimeoutMs = 5000;
const lingerMs = 2000;

/** Headers of one modern request; they must equal its body. */
export function modernHeaders(
  method: string,
  params: JsonObject | undefined,
  paramHeaders: RequestOptions['paramHeaders'],
): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    [mcpHeaders.protocolVersion]: latestModernVersion,
    [mcpHeaders.method]: method,
  };
  const name = params?.[nameFields[method] ?? ''];
  if (typeof name === 'string') headers[mcpHeaders.name] = encodeHeaderValue(name);
  if (!paramHeaders) return headers;
  for (const [param, value] of Object.entries(paramHeaders)) {
    // The name comes from a server's schema: one that is no header name is left out, as if it were not declared.
    if (headerName.test(param))
      headers[mcpHeaders.paramPrefix + param.toLowerCase()] = encodeHeaderValue(value);
  }
  return headers;
}

export interface ModernHttpSession {
  request(method: string, params: JsonObject | undefined, options: RequestOptions): Promise<JsonObject>;
  notify(method: string, params: JsonObject | undefined): void;
  readonly openListen: OpenListen;
  close(): void;
}

export function createModernHttpSession(deps: {
  server: string;
  client: HttpClient;
  events: ConnectionEvents;
  clock: Clock;
  logger: Logger;
  onGone: (problem: string) => void;
}): ModernHttpSession {
  const { server, client, logger } = deps;
  const calls = createCalls<Exchange>({
    server,
    clock: deps.clock,
    onAbandon(call) {
      call.attachment?.abort();
    },
    onSettle(call) {
      serverRequests.dropOwner(call);
      const exchange = call.attachment;
      // A server that leaves the stream of an answered call open must not keep the socket.
      if (exchange?.position()) deps.clock.after(lingerMs, () => exchange.abort());
    },
  });
  // The era has no requests from server to client, and so no way to answer one.
  const serverRequests = createServerRequests({ server, calls, send: () => {} });
  const incoming = createIncoming({ calls, serverRequests, events: deps.events });
  const linkCheck = createLinkCheck(
    () => session.request('server/discover', discoverParams(), { timeoutMs: checkTimeoutMs }),
    (problem) => {
      calls.rejectAll(problem);
      deps.onGone(problem);
    },
  );

  function deliver(message: unknown, call: Call, resultText: string | undefined): void {
    try {
      incoming(message, call, resultText);
    } catch (error) {
      logger.error({ server, err: error }, 'a listener failed');
    }
  }

  function send(call: Call<Exchange>, params: JsonObject): void {
    const { method } = call;
    // Whether it left is only known when the exchange ends; until then a broken link counts as sent.
    call.sent = true;
    call.attachment = client.exchange(
      {
        method: 'POST',
        headers: modernHeaders(method, params, call.options.paramHeaders),
        body: JSON.stringify({ jsonrpc: '2.0', id: call.id, method, params }),
      },
      {
        onMessage: (message, resultText) => deliver(message, call, resultText),
        onEnd(end) {
          if (calls.get(call.id)) calls.reject(call, failureOf(server, end));
          if (end.kind === 'broken') linkCheck.run();
        },
      },
    );
  }

  const session: ModernHttpSession = {
    request: (method, params, options) =>
      calls.run(method, params, options, (call) => {
        const token = call.callerToken === undefined ? undefined : call.id;
        send(call, outgoingParams('modern', params, options.peer, token) ?? {});
      }),
    notify(method, params) {
      const outgoing = outgoingParams('modern', params, undefined, undefined);
      const body = JSON.stringify({ jsonrpc: '2.0', method, params: outgoing });
      const headers = modernHeaders(method, outgoing, undefined);
      client.exchange({ method: 'POST', headers, body }, { onMessage() {}, onEnd() {} });
    },
    openListen(params, handlers) {
      const method = 'subscriptions/listen';
      const id = calls.reserveId();
      let refusal: Error | undefined;
      const exchange = client.exchange(
        {
          method: 'POST',
          headers: modernHeaders(method, params, undefined),
          body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
        },
        {
          onMessage(message) {
            if (!isJsonObject(message)) return;
            const given = isJsonObject(message['params']) ? message['params'] : {};
            if (message['method'] === 'notifications/subscriptions/acknowledged') {
              handlers.onAcknowledged(isJsonObject(given['notifications']) ? given['notifications'] : {});
            } else if (typeof message['method'] === 'string') {
              handlers.onNotification({ jsonrpc: '2.0', method: message['method'], params: given });
            } else if (isJsonObject(message['error'])) {
              const { code, message: text } = message['error'];
              refusal = new RpcError({ code: Number(code), message: String(text) });
            }
          },
          onEnd(end) {
            const isFailure = end.kind !== 'answered' || end.status >= 400;
            handlers.onEnd(refusal ?? (isFailure ? failureOf(server, end) : undefined));
            if (end.kind === 'broken') linkCheck.run();
          },
        },
      );
      return () => exchange.abort();
    },
    close() {
      linkCheck.stop();
      calls.rejectAll('the connection was closed');
    },
  };
  return session;
}

/** A connection over an endpoint that answered `server/discover`. */
export function createModernHttpConnection(
  session: ModernHttpSession,
  client: HttpClient,
  negotiated: Negotiated,
  deps: { server: string; events: ConnectionEvents; clock: Clock },
): Connection {
  const listen = createListen({
    capabilities: negotiated.server.capabilities,
    open: session.openListen,
    clock: deps.clock,
    onNotification: (notification) => deps.events.onNotification?.(notification),
  });
  listen.start();
  let closing: Promise<void> | undefined;

  function close(): Promise<void> {
    if (!closing) {
      listen.close();
      session.close();
      closing = client.close();
    }
    return closing;
  }

  return {
    ...negotiated,
    async request(method, params, options = {}) {
      if (closing)
        throw new AppError('UPSTREAM_UNAVAILABLE', {
          server: deps.server,
          problem: 'the connection is closed',
        });
      return await session.request(method, params, options);
    },
    notify: (method, params) => session.notify(method, params),
    subscribe: (uri) => listen.add(uri),
    unsubscribe: async (uri) => listen.remove(uri),
    close,
    [Symbol.asyncDispose]: close,
  };
}
