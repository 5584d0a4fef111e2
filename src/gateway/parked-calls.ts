/**
 * Calls of modern clients on legacy upstreams. When the upstream asks something, its request is parked, the
 * client gets `input_required` with a signed handle, and the call goes on when the client returns with
 * answers (MCP 2026-07-28, multi round-trip requests). Handles are attacker's input: they are HMAC-signed,
 * bound to principal, mount, method and name, and expire.
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CancelSignal } from '../kernel/cancel.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject, type RpcNotification, type RpcRequest } from '../kernel/json-rpc.ts';
import type { Exchange } from './exchange.ts';

/** What a handle is bound to: any difference makes it void. */
export interface Binding {
  readonly principal: string;
  readonly mount: string;
  readonly method: string;
  readonly name: string;
}

export interface CallHooks {
  readonly signal: CancelSignal;
  readonly onNotification: (notification: RpcNotification) => void;
  readonly onRequest: (request: RpcRequest, signal: CancelSignal) => Promise<JsonObject>;
}

export interface ParkedCalls {
  /** Starts a call, or goes on with the one whose handle the client brought back; resolves at the next turn. */
  turn(
    exchange: Exchange,
    binding: Binding,
    retry: { requestState?: unknown; inputResponses?: unknown },
    start: (hooks: CallHooks) => Promise<JsonObject>,
  ): Promise<JsonObject>;
  readonly size: number;
  /** Ends all parked calls. */
  close(): void;
}

interface Pending {
  readonly request: JsonObject;
  readonly resolve: (result: JsonObject) => void;
  readonly reject: (error: Error) => void;
}

interface Call {
  readonly id: string;
  readonly binding: string;
  readonly abort: AbortController;
  readonly pending: Map<string, Pending>;
  outcome: Promise<JsonObject>;
  /** The client request that listens at the moment. */
  exchange: Exchange | undefined;
  /** Resolves when the upstream has asked something. */
  asked: PromiseWithResolvers<void>;
  cancelExpiry: () => void;
  nextInput: number;
}

const maxParked = 10_000;

export function createParkedCalls(options: {
  clock: Clock;
  ttlMs?: number;
  supports: (exchange: Exchange, method: string) => boolean;
}): ParkedCalls {
  const { clock } = options;
  const ttlMs = options.ttlMs ?? 600_000;
  const secret = randomBytes(32);
  const calls = new Map<string, Call>();

  const sign = (id: string, binding: string) =>
    createHmac('sha256', secret).update(`${id}\0${binding}`).digest('base64url');

  function end(call: Call): void {
    call.cancelExpiry();
    calls.delete(call.id);
    for (const { reject } of call.pending.values()) reject(new AppError('STATE_EXPIRED'));
    call.pending.clear();
    call.abort.abort();
  }

  function onRequest(call: Call, request: RpcRequest, signal: CancelSignal): Promise<JsonObject> {
    if (call.exchange && !options.supports(call.exchange, request.method)) {
      throw new AppError('METHOD_NOT_FOUND', { method: request.method });
    }
    const key = `r${(call.nextInput += 1)}`;
    const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
    const params = request.params === undefined ? {} : { params: withoutElicitationId(request.params) };
    call.pending.set(key, { request: { method: request.method, ...params }, resolve, reject });
    signal.addEventListener('abort', () => {
      call.pending.delete(key);
      reject(new AppError('REQUEST_CANCELLED'));
    });
    call.asked.resolve();
    return promise;
  }

  function begin(
    binding: string,
    exchange: Exchange,
    start: (hooks: CallHooks) => Promise<JsonObject>,
  ): Call {
    if (calls.size >= maxParked)
      throw new AppError('OVERLOADED', { problem: `${maxParked} calls wait for their clients` });
    const abort = new AbortController();
    const call: Call = {
      id: randomBytes(16).toString('base64url'),
      binding,
      abort,
      pending: new Map(),
      exchange,
      asked: Promise.withResolvers<void>(),
      cancelExpiry: () => {},
      nextInput: 0,
      outcome: Promise.resolve({}),
    };
    call.outcome = start({
      signal: abort.signal,
      onNotification: (notification) => call.exchange?.notify(notification),
      onRequest: async (request, signal) => await onRequest(call, request, signal),
    });
    call.outcome.catch(() => {});
    return call;
  }

  function find(binding: string, requestState: unknown): Call {
    const [id = '', mac = ''] = typeof requestState === 'string' ? requestState.split('.') : [];
    const expected = Buffer.from(sign(id, binding));
    const given = Buffer.from(mac);
    const call = calls.get(id);
    const isGenuine = given.length === expected.length && timingSafeEqual(given, expected);
    if (!call || !isGenuine || call.binding !== binding) throw new AppError('STATE_EXPIRED');
    return call;
  }

  function answer(call: Call, inputResponses: unknown): void {
    if (!isJsonObject(inputResponses)) return;
    for (const [key, pending] of call.pending) {
      const response = inputResponses[key];
      if (!isJsonObject(response)) continue;
      call.pending.delete(key);
      pending.resolve(response);
    }
  }

  async function nextTurn(call: Call, exchange: Exchange): Promise<JsonObject> {
    call.exchange = exchange;
    call.asked = Promise.withResolvers<void>();
    if (call.pending.size > 0) call.asked.resolve();
    const gone = Promise.withResolvers<never>();
    const onAbort = () => {
      end(call);
      gone.reject(new AppError('REQUEST_CANCELLED'));
    };
    exchange.signal.addEventListener('abort', onAbort, { once: true });
    if (exchange.signal.aborted) onAbort();
    try {
      const result = await Promise.race([call.outcome, call.asked.promise, gone.promise]);
      if (result !== undefined) {
        end(call);
        return result;
      }
    } catch (error) {
      end(call);
      throw error;
    } finally {
      exchange.signal.removeEventListener('abort', onAbort);
    }
    call.exchange = undefined;
    calls.set(call.id, call);
    call.cancelExpiry();
    call.cancelExpiry = clock.after(ttlMs, () => end(call));
    return {
      resultType: 'input_required',
      inputRequests: Object.fromEntries([...call.pending].map(([key, { request }]) => [key, request])),
      requestState: `${call.id}.${sign(call.id, call.binding)}`,
    };
  }

  return {
    async turn(exchange, bound, retry, start) {
      const binding = JSON.stringify([bound.principal, bound.mount, bound.method, bound.name]);
      if (retry.requestState === undefined) return await nextTurn(begin(binding, exchange, start), exchange);
      const call = find(binding, retry.requestState);
      // Two clients with one handle: the first to come has it, until it is given out again.
      calls.delete(call.id);
      call.cancelExpiry();
      answer(call, retry.inputResponses);
      return await nextTurn(call, exchange);
    },
    get size() {
      return calls.size;
    },
    close() {
      for (const call of calls.values()) end(call);
    },
  };
}

/** URL elicitation lost its id in 2026-07-28. */
function withoutElicitationId(params: JsonObject): JsonObject {
  if (!('elicitationId' in params)) return params;
  const { elicitationId: _id, ...rest } = params;
  return rest;
}
