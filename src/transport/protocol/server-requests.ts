/** Requests that a legacy upstream sends to us, and which client, if any, may be asked. */

import { AppError, toAppError } from '../../kernel/errors.ts';
import {
  type JsonObject,
  type RequestId,
  rpcCodes,
  RpcError,
  type RpcErrorObject,
  type RpcRequest,
  type RpcResponse,
  toRpcError,
} from '../../kernel/json-rpc.ts';
import type { Call, Calls } from './calls.ts';

export interface ServerRequests {
  /**
   * Answers a request of the upstream. `owner` is the call whose own stream carried it; without one the
   * client is found among the calls in flight.
   */
  handle(request: RpcRequest, owner?: Call): void;
  /** The upstream cancelled its own request. */
  cancel(requestId: unknown): void;
  /** The call is over: whoever is being asked on its behalf need not answer any more. */
  dropOwner(call: Call): void;
  /** Aborts all that is being asked. */
  close(): void;
}

/** What an upstream's message without a visible owner belongs to. */
export type OwnerVerdict =
  | { readonly kind: 'owner'; readonly call: Call }
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous' };

/**
 * The rule that keeps one user's prompt from another: a message that names no request belongs to the most
 * recent candidate, but only when every call of a client that is in flight comes from that same client.
 */
export function findOwner(inFlight: readonly Call[], isCandidate: (call: Call) => boolean): OwnerVerdict {
  const call = inFlight.findLast(isCandidate);
  if (!call) return { kind: 'none' };
  const key = call.options.peer?.key;
  const strangers = inFlight.some(
    (other) => other.options.peer?.key !== key && (other.options.peer !== undefined || isCandidate(other)),
  );
  return strangers ? { kind: 'ambiguous' } : { kind: 'owner', call };
}

export function createServerRequests(deps: {
  server: string;
  calls: Calls;
  /** Sends the answer to the upstream. */
  send: (response: RpcResponse) => void;
}): ServerRequests {
  const { server, calls } = deps;
  const asked = new Map<RequestId, { readonly abort: AbortController; readonly owner: Call }>();

  function answer(id: RequestId, result: JsonObject): void {
    deps.send({ jsonrpc: '2.0', id, result });
  }

  function refuse(id: RequestId, error: RpcErrorObject): void {
    deps.send({ jsonrpc: '2.0', id, error });
  }

  function answerWithoutClient(request: RpcRequest): void {
    if (request.method === 'roots/list') answer(request.id, { roots: [] });
    else
      refuse(request.id, {
        code: rpcCodes.methodNotFound,
        message: `no client can answer ${request.method} now`,
      });
  }

  /** A call whose client still owes an answer waits; a new question then comes from one that is at work. */
  function ownerAmong(inFlight: readonly Call[]): OwnerVerdict {
    const waiting = new Set([...asked.values()].map(({ owner }) => owner));
    const atWork = inFlight.filter((call) => !waiting.has(call));
    return findOwner(atWork.length > 0 ? atWork : inFlight, (call) => call.options.onRequest !== undefined);
  }

  async function ask(request: RpcRequest, owner: Call): Promise<void> {
    const { onRequest } = owner.options;
    if (!onRequest) return answerWithoutClient(request);
    const abort = new AbortController();
    const release = calls.hold(owner);
    asked.set(request.id, { abort, owner });
    try {
      const result = await onRequest(request, abort.signal);
      if (!abort.signal.aborted) answer(request.id, result);
    } catch (error) {
      if (!abort.signal.aborted) refuse(request.id, errorObjectOf(error));
    } finally {
      release();
      if (asked.get(request.id)?.abort === abort) asked.delete(request.id);
    }
  }

  return {
    handle(request, owner) {
      if (request.method === 'ping') return answer(request.id, {});
      const verdict: OwnerVerdict = owner ? { kind: 'owner', call: owner } : ownerAmong(calls.inFlight());
      if (verdict.kind === 'owner') void ask(request, verdict.call);
      else if (verdict.kind === 'none') answerWithoutClient(request);
      else
        refuse(request.id, toRpcError(new AppError('CLIENT_AMBIGUOUS', { server, method: request.method })));
    },
    cancel(requestId) {
      const entry = asked.get(requestId as RequestId);
      if (!entry) return;
      asked.delete(requestId as RequestId);
      entry.abort.abort();
    },
    dropOwner(call) {
      if (asked.size === 0) return;
      for (const [id, entry] of asked) {
        if (entry.owner !== call) continue;
        asked.delete(id);
        entry.abort.abort();
      }
    },
    close() {
      for (const entry of asked.values()) entry.abort.abort();
      asked.clear();
    },
  };
}

/** What the upstream reads when a client's answer failed; an unexpected failure shows no detail. */
export function errorObjectOf(error: unknown): RpcErrorObject {
  if (error instanceof RpcError) return { code: error.code, message: error.message, data: error.data };
  return toRpcError(toAppError(error));
}
