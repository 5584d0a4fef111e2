/**
 * One request to one upstream, in all four cells of client era and upstream era. The Connection speaks the
 * upstream's wire; here the two interaction models meet.
 */

import { randomUUID } from 'node:crypto';
import type { CancelSignal } from '../kernel/cancel.ts';
import { AppError } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject, RpcError, type RpcRequest } from '../kernel/json-rpc.ts';
import {
  type KnownText,
  type OnResultText,
  textOf,
  withMember,
  withoutMember,
} from '../kernel/result-text.ts';
import type { Connection, Instance } from '../pool/instance.ts';
import type { Place } from '../pool/scale/places.ts';
import { type Exchange, neededCapability } from './exchange.ts';
import { peerFor } from './owner.ts';
import type { Binding, ParkedCalls } from './parked-calls.ts';

export interface Forwarding {
  readonly instance: Instance;
  /** One of the instance's; all rounds of the call go over it. */
  readonly connection: Connection;
  /** Of the first round; later ones have theirs by right. */
  readonly place?: Place | undefined;
  readonly method: string;
  readonly params: JsonObject;
  readonly exchange: Exchange;
  readonly binding: Binding;
  /** `Mcp-Param-*` headers for a modern HTTP upstream, by lower-case name after the prefix. */
  readonly paramHeaders?: Readonly<Record<string, string>>;
  /** What is left of the call's time, milliseconds. */
  readonly timeoutMs: number;
}

/** Rounds of input a modern upstream may ask of one legacy client's call. */
const maxRounds = 16;

export function supports(exchange: Exchange, method: string): boolean {
  const capability = neededCapability[method];
  return capability !== undefined && isJsonObject(exchange.peer.capabilities[capability]);
}

/** Forwards and answers in the client's era: `resultType` for modern clients, none for legacy ones. */
export async function forward(call: Forwarding, parked: ParkedCalls): Promise<JsonObject> {
  if (call.exchange.era === 'legacy') return await forLegacyClient(call);
  if (call.connection.era === 'legacy') return await forModernClientOnLegacy(call, parked);
  return await call.instance.request(
    call.method,
    call.params,
    options(call, call.exchange.signal),
    call.connection,
  );
}

function options(call: Forwarding, signal: CancelSignal) {
  const { exchange } = call;
  return {
    peer: peerFor(call.instance.spec, exchange.peer),
    requestId: exchange.requestId,
    signal,
    timeoutMs: call.timeoutMs,
    onNotification: (notification: Parameters<Exchange['notify']>[0]) => exchange.notify(notification),
    onResultText: exchange.onResultText,
    place: call.place,
    ...(call.paramHeaders && { paramHeaders: call.paramHeaders }),
  };
}

/** Asks the client directly, on the stream of its own request. */
async function ask(
  exchange: Exchange,
  method: string,
  params: JsonObject | undefined,
  signal: CancelSignal,
): Promise<JsonObject> {
  if (!exchange.ask || !supports(exchange, method)) throw new AppError('METHOD_NOT_FOUND', { method });
  exchange.hasAsked = true;
  return await exchange.ask(method, params, signal);
}

async function forLegacyClient(call: Forwarding): Promise<JsonObject> {
  const { exchange, instance, connection, method } = call;
  let { params } = call;
  for (let round = 0; round < maxRounds; round += 1) {
    let known: KnownText | undefined;
    const roundOptions = {
      ...options(call, exchange.signal),
      onResultText(result: JsonObject, text: string) {
        known = { result, text };
      },
      onRequest: (request: RpcRequest, signal: CancelSignal) =>
        ask(exchange, request.method, request.params, signal),
    };
    const result = await instance.request(method, params, roundOptions, connection);
    if (result['resultType'] !== 'input_required')
      return forLegacy(result, textOf(result, known), exchange.onResultText);
    const inputResponses = await answerInputs(exchange, result['inputRequests']);
    const { requestState } = result;
    params = { ...call.params, inputResponses, ...(requestState !== undefined && { requestState }) };
  }
  throw new AppError('UPSTREAM_PROTOCOL', {
    server: instance.spec.id,
    problem: `it asked for input more than ${maxRounds} times`,
  });
}

async function answerInputs(exchange: Exchange, inputRequests: unknown): Promise<JsonObject> {
  if (!isJsonObject(inputRequests)) return {};
  const answers = await Promise.all(
    Object.entries(inputRequests).map(async ([key, request]): Promise<[string, JsonObject]> => {
      if (!isJsonObject(request) || typeof request['method'] !== 'string')
        throw new AppError('INVALID_REQUEST', { problem: `input request ${key} has no method` });
      const { method } = request;
      const capability = neededCapability[method];
      if (!supports(exchange, method))
        throw new AppError('MISSING_CLIENT_CAPABILITY', { capability: capability ?? method });
      const params = isJsonObject(request['params']) ? request['params'] : undefined;
      return [key, await ask(exchange, method, withElicitationId(params), exchange.signal)];
    }),
  );
  return Object.fromEntries(answers);
}

/** URL elicitation carries an id up to 2025-11-25, and none since. */
function withElicitationId(params: JsonObject | undefined): JsonObject | undefined {
  return params?.['mode'] === 'url' && params['elicitationId'] === undefined
    ? { ...params, elicitationId: randomUUID() }
    : params;
}

/** A result as the legacy era has it; its text too, where that can be had without writing it anew. */
function forLegacy(result: JsonObject, text: string | undefined, tell: OnResultText | undefined): JsonObject {
  if (!('resultType' in result) && !('ttlMs' in result)) {
    if (text !== undefined) tell?.(result, text);
    return result;
  }
  const { resultType, ttlMs, cacheScope, ...rest } = result;
  const cut = text === undefined ? undefined : withoutMember(text, 'resultType', 'complete');
  const isOnlyType = resultType === 'complete' && ttlMs === undefined && cacheScope === undefined;
  if (isOnlyType && cut !== undefined) tell?.(rest, cut);
  return rest;
}

async function forModernClientOnLegacy(call: Forwarding, parked: ParkedCalls): Promise<JsonObject> {
  const { requestState, inputResponses, ...params } = call.params;
  const { onResultText } = call.exchange;
  let known: KnownText | undefined;
  const onUpstreamText: OnResultText = (result, text) => {
    known = { result, text };
  };
  const result = await parked.turn(call.exchange, call.binding, { requestState, inputResponses }, (hooks) =>
    call.instance.request(
      call.method,
      params,
      {
        ...options(call, hooks.signal),
        onNotification: hooks.onNotification,
        onRequest: hooks.onRequest,
        onResultText: onUpstreamText,
      },
      call.connection,
    ),
  );
  if (result['resultType'] !== undefined) return result;
  const complete = { resultType: 'complete', ...result };
  const text = textOf(result, known);
  if (text !== undefined) onResultText?.(complete, withMember(text, 'resultType', 'complete'));
  return complete;
}

/** Errors that legacy servers word differently: -32002 was "resource not found" before 2026-07-28. */
export function translateError(error: unknown, era: Exchange['era']): unknown {
  if (era === 'modern' && error instanceof RpcError && error.code === legacyResourceNotFound) {
    return new RpcError({ code: -32602, message: error.message, data: error.data });
  }
  return error;
}

const legacyResourceNotFound = -32002;
