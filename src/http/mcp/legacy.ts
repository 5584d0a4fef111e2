/** Streamable HTTP of the legacy era (2025-03-26 to 2025-11-25): sessions, a GET stream, answers by POST. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from '../../gateway/exchange.ts';
import type { MountKey } from '../../gateway/mounts.ts';
import type { Session } from '../../gateway/sessions.ts';
import { Cancel, type CancelSignal } from '../../kernel/cancel.ts';
import { AppError, errorTable } from '../../kernel/errors.ts';
import {
  isJsonObject,
  isNotification,
  isRequest,
  isResponse,
  type JsonObject,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from '../../kernel/json-rpc.ts';
import type { Priority } from '../../kernel/pool-options.ts';
import type { Principal } from '../../kernel/principal.ts';
import {
  isLegacyVersion,
  legacyVersions,
  mcpHeaders,
  modernVersions,
  passesLogLevel,
} from '../../kernel/protocol.ts';
import { type KnownText, type OnResultText, textOf } from '../../kernel/result-text.ts';
import { retryAfterOf } from '../problem.ts';
import { tellLimit } from '../rate-limit-fields.ts';
import { type EndpointDependencies, errorResponse, priorityOf } from './endpoint-dependencies.ts';
import { openStream, Reply } from './reply.ts';

/** Only this version knows batches. */
const batchVersion = '2025-03-26';
const maxBatch = 100;

function sessionOf(deps: EndpointDependencies, mount: MountKey, request: IncomingMessage): Session {
  const version = request.headers[mcpHeaders.protocolVersion];
  if (version !== undefined && !isLegacyVersion(version)) {
    throw new AppError('UNSUPPORTED_PROTOCOL_VERSION', {
      requested: version,
      supported: [...legacyVersions, ...modernVersions],
    });
  }
  const id = request.headers[mcpHeaders.sessionId];
  if (typeof id !== 'string')
    throw new AppError('INVALID_REQUEST', {
      problem: 'the Mcp-Session-Id header is missing: initialize first',
    });
  return deps.gateway.sessions.get(id, mount, deps.identify(request));
}

/** What one request has that one of a batch has not. */
interface OneRequest {
  readonly remoteAddress?: string | undefined;
  readonly priority?: Priority | undefined;
  readonly onResultText?: OnResultText;
  readonly onError?: (error: unknown) => void;
}

export async function serveLegacyPost(
  deps: EndpointDependencies,
  mount: MountKey,
  body: unknown,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isRequest(body) && body.method === 'initialize') {
    await initialize(deps, mount, body, deps.identify(request), response);
    return;
  }
  const session = sessionOf(deps, mount, request);
  const reply = new Reply(response, deps.keepAlive);
  if (Array.isArray(body)) {
    await serveBatch(deps, session, body, reply, deps.addressOf(request));
    return;
  }
  if (isRequest(body)) await answerRequest(deps, session, body, reply, request, response);
  else if (isNotification(body) || isResponse(body)) {
    take(deps, session, body);
    reply.end(undefined);
  } else throw notAMessage();
}

async function answerRequest(
  deps: EndpointDependencies,
  session: Session,
  request: RpcRequest,
  reply: Reply,
  http: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  let known: KnownText | undefined;
  let retryAfter: number | undefined;
  const response = await serveRequest(deps, session, request, reply, {
    priority: priorityOf(http),
    remoteAddress: deps.addressOf(http),
    onResultText(result, text) {
      known = { result, text };
    },
    onError(error) {
      retryAfter = retryAfterOf(error);
      tellLimit(outgoing, error);
    },
  });
  const text = response.result && textOf(response.result, known);
  if (text !== undefined) reply.endResult(request.id, text);
  else reply.end(response, retryAfter === undefined ? 200 : errorTable.SERVER_BUSY.http, retryAfter);
}

function notAMessage(): AppError {
  return new AppError('INVALID_REQUEST', { problem: 'not a JSON-RPC 2.0 message' });
}

async function initialize(
  deps: EndpointDependencies,
  mount: MountKey,
  request: RpcRequest,
  principal: Principal,
  response: ServerResponse,
): Promise<void> {
  const { keepAlive, logger, gateway } = deps;
  try {
    const { session, result } = await gateway.initialize(mount, request.params ?? {}, principal);
    const headers = { [mcpHeaders.sessionId]: session.id };
    new Reply(response, keepAlive, { headers }).end({ jsonrpc: '2.0', id: request.id, result });
  } catch (error) {
    new Reply(response, keepAlive).end(
      errorResponse(request.id, error, logger),
      error instanceof AppError && error.code === 'NOT_FOUND' ? 404 : 200,
    );
  }
}

async function serveBatch(
  deps: EndpointDependencies,
  session: Session,
  batch: unknown[],
  reply: Reply,
  remoteAddress: string | undefined,
): Promise<void> {
  if (session.protocolVersion !== batchVersion)
    throw new AppError('INVALID_REQUEST', { problem: `batches belong to ${batchVersion} only` });
  if (batch.length === 0 || batch.length > maxBatch)
    throw new AppError('INVALID_REQUEST', { problem: `a batch holds 1 to ${maxBatch} messages` });
  const answering: Promise<RpcResponse>[] = [];
  for (const message of batch) {
    if (isRequest(message)) answering.push(serveRequest(deps, session, message, reply, { remoteAddress }));
    else if (isNotification(message) || isResponse(message)) take(deps, session, message);
    else answering.push(Promise.resolve(errorResponse(null, notAMessage(), deps.logger)));
  }
  if (answering.length === 0) {
    reply.end(undefined);
    return;
  }
  const answers = await Promise.all(answering);
  // On the wire a batch is one array, as JSON or as one event.
  reply.end(answers as unknown as RpcResponse);
}

/** Notifications and answers from the client. */
function take(deps: EndpointDependencies, session: Session, message: RpcNotification | RpcResponse): void {
  if (isResponse(message)) {
    session.answer(message);
    return;
  }
  if (message.method === 'notifications/cancelled') {
    const id = message.params?.['requestId'];
    for (const request of session.inFlight) if (request.id === id) request.abort();
  } else if (message.method === 'notifications/roots/list_changed') {
    deps.gateway.rootsChanged(session);
  }
}

function exchangeOf(
  session: Session,
  reply: Reply,
  signal: CancelSignal,
  requestId: string,
  { priority, remoteAddress, onResultText }: OneRequest,
): Exchange {
  // A lost connection is no cancellation in this era: what is left to say goes to the session's own stream.
  const send = (message: RpcMessage) => {
    if (!reply.send(message)) session.send(message);
  };
  return {
    era: 'legacy',
    requestId,
    peer: session.peer,
    remoteAddress,
    priority,
    signal,
    ...(onResultText && { onResultText }),
    notify(notification) {
      const isLog = notification.method === 'notifications/message';
      if (
        isLog &&
        session.logLevel !== undefined &&
        !passesLogLevel(notification.params?.['level'], session.logLevel)
      )
        return;
      send(notification);
    },
    ask: (method, params, askSignal) => session.ask(method, params, askSignal, send),
  };
}

async function serveRequest(
  deps: EndpointDependencies,
  session: Session,
  request: RpcRequest,
  reply: Reply,
  one: OneRequest = {},
): Promise<RpcResponse> {
  const cancel = new Cancel();
  const entry = { place: -1, id: request.id, abort: () => cancel.abort() };
  session.inFlight.add(entry);
  try {
    const result = await answer(
      deps,
      session,
      request,
      exchangeOf(session, reply, cancel, deps.nextRequestId(), one),
    );
    return { jsonrpc: '2.0', id: request.id, result };
  } catch (error) {
    one.onError?.(error);
    return errorResponse(request.id, error, deps.logger);
  } finally {
    session.inFlight.delete(entry);
  }
}

async function answer(
  { gateway }: EndpointDependencies,
  session: Session,
  request: RpcRequest,
  exchange: Exchange,
): Promise<JsonObject> {
  const params = isJsonObject(request.params) ? request.params : {};
  switch (request.method) {
    case 'ping':
      return {};
    case 'logging/setLevel':
      return await gateway.setLogLevel(session, params);
    case 'resources/subscribe':
      return await gateway.subscribe(session, params);
    case 'resources/unsubscribe':
      return await gateway.unsubscribe(session, params);
    default:
      return await gateway.handle(
        await gateway.view(session.mount, session.peer.principal),
        request.method,
        params,
        exchange,
      );
  }
}

export function serveLegacyGet(
  deps: EndpointDependencies,
  mount: MountKey,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const session = sessionOf(deps, mount, request);
  const send = openStream(response, deps.keepAlive, { [mcpHeaders.sessionId]: session.id });
  const detach = session.attach({ send, end: () => response.end() });
  response.on('close', detach);
}

export function serveLegacyDelete(
  deps: EndpointDependencies,
  mount: MountKey,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const session = sessionOf(deps, mount, request);
  deps.gateway.sessions.end(session.id);
  response.writeHead(204).end();
}
