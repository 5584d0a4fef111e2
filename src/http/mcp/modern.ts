/** Streamable HTTP of the modern era (2026-07-28): one POST a request, no session, headers that repeat the body. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from '../../gateway/exchange.ts';
import type { MountKey } from '../../gateway/mounts.ts';
import { decodeHeaderValue, headerValueOf } from '../../kernel/param-headers.ts';
import type { View } from '../../gateway/view.ts';
import { Cancel } from '../../kernel/cancel.ts';
import { AppError, errorTable, toAppError } from '../../kernel/errors.ts';
import {
  isJsonObject,
  isNotification,
  isRequest,
  type JsonObject,
  RpcError,
  rpcCodes,
  type RpcNotification,
  type RpcRequest,
} from '../../kernel/json-rpc.ts';
import type { Principal } from '../../kernel/principal.ts';
import {
  isClientIdentity,
  isModernVersion,
  logLevels,
  mcpHeaders,
  type McpLogLevel,
  metaKeys,
  modernVersions,
  namedMethods,
  passesLogLevel,
  type Peer,
} from '../../kernel/protocol.ts';
import { type KnownText, textOf } from '../../kernel/result-text.ts';
import { retryAfterOf } from '../problem.ts';
import { tellLimit } from '../rate-limit-fields.ts';
import { type EndpointDependencies, errorResponse, priorityOf } from './endpoint-dependencies.ts';
import { Reply } from './reply.ts';

export async function serveModernPost(
  deps: EndpointDependencies,
  mount: MountKey,
  body: unknown,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (isNotification(body)) {
    response.writeHead(202).end();
    return;
  }
  if (!isRequest(body))
    throw new AppError('INVALID_REQUEST', { problem: 'the body is not one JSON-RPC 2.0 request' });
  const cancel = new Cancel();
  const reply = new Reply(response, deps.keepAlive, { onGone: () => cancel.abort() });
  try {
    const requestId = deps.nextRequestId();
    const peer = readEnvelope(body, request, requestId, deps.identify(request));
    const view = await deps.gateway.view(mount, peer.principal);
    checkParamHeaders(view, body, request);
    if (body.method === 'subscriptions/listen') {
      await listen(deps, view, body, peer, response, reply);
      return;
    }
    let known: KnownText | undefined;
    const exchange: Exchange = {
      era: 'modern',
      requestId,
      peer,
      remoteAddress: deps.addressOf(request),
      priority: priorityOf(request),
      signal: cancel,
      onResultText(result, text) {
        known = { result, text };
      },
      notify(notification) {
        const isLog = notification.method === 'notifications/message';
        if (
          isLog &&
          (peer.logLevel === undefined || !passesLogLevel(notification.params?.['level'], peer.logLevel))
        )
          return;
        reply.send(notification);
      },
    };
    const params = body.params ?? {};
    const result =
      body.method === 'server/discover'
        ? deps.gateway.discover(view)
        : await deps.gateway.handle(view, body.method, params, exchange);
    const text = textOf(result, known);
    if (text !== undefined) reply.endResult(body.id, text);
    else reply.end({ jsonrpc: '2.0', id: body.id, result });
  } catch (error) {
    tellLimit(response, error);
    reply.end(errorResponse(body.id, error, deps.logger), statusOf(error, body.method), retryAfterOf(error));
  }
}

/** Errors of the envelope have their own status; an upstream's error travels in a 200. */
function statusOf(thrown: unknown, method: string): number {
  if (thrown instanceof RpcError) {
    if (thrown.code === rpcCodes.methodNotFound && !Object.hasOwn(namedMethods, method)) return 404;
    return thrown.code === rpcCodes.missingClientCapability ? 400 : 200;
  }
  const error = toAppError(thrown);
  switch (error.code) {
    case 'METHOD_NOT_FOUND':
    case 'HEADER_MISMATCH':
    case 'MISSING_CLIENT_CAPABILITY':
    case 'UNSUPPORTED_PROTOCOL_VERSION':
    case 'INVALID_REQUEST':
    case 'NOT_FOUND':
    case 'SERVER_BUSY':
    case 'RATE_LIMITED':
    case 'LIMITS_UNAVAILABLE':
      return errorTable[error.code].http;
    case 'INVALID_INPUT':
      return error.data['envelope'] === true ? 400 : 200;
    default:
      return 200;
  }
}

function envelopeError(field: string, problem: string): AppError {
  return new AppError('INVALID_INPUT', { field: `_meta["${field}"]`, problem, envelope: true });
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The client as its envelope describes it; headers are held against the body. */
function readEnvelope(
  body: RpcRequest,
  request: IncomingMessage,
  requestId: string,
  principal: Principal,
): Peer {
  const meta = isJsonObject(body.params?.['_meta']) ? body.params['_meta'] : {};
  const version = meta[metaKeys.protocolVersion];
  if (typeof version !== 'string')
    throw envelopeError(metaKeys.protocolVersion, 'is required on every request');
  checkStandardHeaders(body, version, request);
  if (!isModernVersion(version)) {
    throw new AppError('UNSUPPORTED_PROTOCOL_VERSION', {
      requested: version,
      supported: [...modernVersions],
    });
  }
  const capabilities = meta[metaKeys.clientCapabilities];
  if (!isJsonObject(capabilities))
    throw envelopeError(metaKeys.clientCapabilities, 'is required: an object, empty if there are none');
  const info = meta[metaKeys.clientInfo];
  if (info !== undefined && !isClientIdentity(info))
    throw envelopeError(metaKeys.clientInfo, 'must have a name and a version');
  const level = meta[metaKeys.logLevel];
  if (level !== undefined && !(logLevels as readonly unknown[]).includes(level))
    throw envelopeError(metaKeys.logLevel, `must be one of ${logLevels.join(', ')}`);
  return {
    // Nothing tells two stateless clients apart, so each request stands alone: no prompt can reach a stranger.
    key: `modern:${requestId}`,
    principal,
    capabilities,
    ...(isClientIdentity(info) && { clientInfo: info }),
    ...(level !== undefined && { logLevel: level as McpLogLevel }),
  };
}

function mismatch(problem: string): AppError {
  return new AppError('HEADER_MISMATCH', { problem });
}

function checkStandardHeaders(body: RpcRequest, version: string, request: IncomingMessage): void {
  const versionHeader = headerOf(request, mcpHeaders.protocolVersion);
  if (versionHeader === undefined) throw mismatch('the MCP-Protocol-Version header is missing');
  if (versionHeader.trim() !== version)
    throw mismatch(`MCP-Protocol-Version is ${versionHeader}, the body says ${version}`);
  const methodHeader = headerOf(request, mcpHeaders.method);
  if (methodHeader === undefined) throw mismatch('the Mcp-Method header is missing');
  if (methodHeader.trim() !== body.method)
    throw mismatch(`Mcp-Method is ${methodHeader}, the body says ${body.method}`);
  const field = Object.hasOwn(namedMethods, body.method) ? namedMethods[body.method] : undefined;
  if (field === undefined) return;
  const named = body.params?.[field];
  const nameHeader = headerOf(request, mcpHeaders.name);
  if (nameHeader === undefined) {
    if (named !== undefined) throw mismatch('the Mcp-Name header is missing');
    return;
  }
  const decoded = decodeHeaderValue(nameHeader);
  if (decoded === undefined) throw mismatch('Mcp-Name is not valid Base64 between its marks');
  if (named !== undefined && decoded !== named)
    throw mismatch(`Mcp-Name is ${decoded}, the body says ${JSON.stringify(named)}`);
}

/** `Mcp-Param-*` of the called tool's schema, which a client must send when the argument is there. */
function checkParamHeaders(view: View, body: RpcRequest, request: IncomingMessage): void {
  if (body.method !== 'tools/call') return;
  const name = body.params?.['name'];
  const target = typeof name === 'string' ? view.tools.get(name) : undefined;
  for (const { path, header } of target?.paramHeaders ?? []) {
    const expected = headerValueOf(body.params?.['arguments'], path);
    const raw = headerOf(request, mcpHeaders.paramPrefix + header);
    if (expected === undefined) {
      if (raw !== undefined)
        throw mismatch(`Mcp-Param-${header} is there, the argument ${path.join('.')} is not`);
      continue;
    }
    if (raw === undefined) throw mismatch(`the Mcp-Param-${header} header is missing`);
    const decoded = decodeHeaderValue(raw);
    if (decoded === undefined || !isSameScalar(decoded, expected))
      throw mismatch(`Mcp-Param-${header} does not equal the argument ${path.join('.')}`);
  }
}

/** Equal as text, or as numbers written differently. */
function isSameScalar(header: string, argument: string): boolean {
  if (header === argument) return true;
  const isDecimal = /^-?\d+(\.\d+)?$/;
  return isDecimal.test(header) && isDecimal.test(argument) && Number(header) === Number(argument);
}

async function listen(
  deps: EndpointDependencies,
  view: View,
  body: RpcRequest,
  peer: Peer,
  response: ServerResponse,
  reply: Reply,
): Promise<void> {
  const stamp = (notification: RpcNotification): RpcNotification => {
    const params: JsonObject = notification.params ?? {};
    const meta = isJsonObject(params['_meta']) ? params['_meta'] : {};
    return { ...notification, params: { ...params, _meta: { ...meta, [metaKeys.subscriptionId]: body.id } } };
  };
  const early: RpcNotification[] = [];
  let send = (notification: RpcNotification): void => void early.push(notification);
  const filter = body.params?.['notifications'];
  const stream = await deps.gateway.listen(view, filter, peer, (notification) => send(stamp(notification)));
  const write = (notification: RpcNotification): void => void reply.send(notification);
  response.on('close', () => {
    stream
      .close()
      .catch((error: unknown) => deps.logger.warn({ err: error }, 'could not end a listen stream'));
  });
  if (response.destroyed) {
    await stream.close();
    return;
  }
  write(
    stamp({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: stream.honored },
    }),
  );
  for (const notification of early) write(notification);
  send = write;
  // The graceful end of a subscription is its response.
  const result = { resultType: 'complete', _meta: { [metaKeys.subscriptionId]: body.id } };
  const end = () => reply.end({ jsonrpc: '2.0', id: body.id, result });
  if (Object.keys(stream.honored).length === 0) end();
  else response.on('close', deps.keepAlive.addEndless(end));
}
