/** The requests in flight on one connection: ids, answers, timeouts, cancellation and progress. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import {
  isJsonObject,
  isResponse,
  type JsonObject,
  type RequestId,
  RpcError,
  type RpcNotification,
} from '../../kernel/json-rpc.ts';
import type { RequestOptions } from '../connection.ts';
import { createCallTable } from './call-table.ts';
import { createDeadlines } from './deadlines.ts';

/** A request in flight; `A` is what its transport attaches to it. */
export interface Call<A = unknown> {
  /** Id on the wire, and the progress token where the caller asked for progress. */
  readonly id: number;
  readonly method: string;
  readonly options: RequestOptions;
  /** The token the caller put in `_meta.progressToken`; undefined when it wants no progress. */
  readonly callerToken: RequestId | undefined;
  /** Set by the transport as soon as the upstream may have seen the request. */
  sent: boolean;
  attachment: A | undefined;
}

export interface CallsDependencies<A> {
  readonly server: string;
  readonly clock: Clock;
  /** The caller cancelled or the time is up: the transport tells the upstream. The call is already rejected. */
  readonly onAbandon: (call: Call<A>, reason: 'cancelled' | 'timeout') => void;
  /** The call is over, whatever its outcome. */
  readonly onSettle?: (call: Call<A>) => void;
}

export interface Calls<A = unknown> {
  /** A fresh id for a request that is not a call (`subscriptions/listen`). */
  reserveId(): number;
  /** Opens a call, hands it to `send`, and resolves with its result. */
  run(
    method: string,
    params: JsonObject | undefined,
    options: RequestOptions,
    send: (call: Call<A>) => void,
  ): Promise<JsonObject>;
  get(id: unknown): Call<A> | undefined;
  /** Settles the call that `message` answers; false when no call waits for it. `resultText`: that of its result. */
  answer(message: unknown, resultText?: string): boolean;
  reject(call: Call<A>, error: Error): void;
  /** Rejects all calls: UPSTREAM_FAILED for those sent, UPSTREAM_UNAVAILABLE for the others. */
  rejectAll(problem: string): void;
  /** Routes a `notifications/progress` to its call with the caller's own token; false when it has none. */
  progress(notification: RpcNotification): boolean;
  /**
   * A person is being asked on the call's behalf, and their time is not the server's: the timeout rests until
   * the returned function is called, at most ten minutes.
   */
  hold(call: Call<A>): () => void;
  /** Calls not yet answered, oldest first. */
  inFlight(): Call<A>[];
}

/** Default time for an answer, milliseconds. */
export const defaultTimeoutMs = 60_000;

/** Longest time a question to a client keeps a call from timing out. */
const maxHoldMs = 600_000;

/**
 * A class, and its own listener on the caller's signal: a fresh closure that is stored in a field of an object
 * literal costs a hidden class a call, and those keep all that the call refers to until a full collection.
 */
class OpenCall<A> implements Call<A> {
  sent = false;
  attachment: A | undefined = undefined;
  activeAtMs = 0;
  /** No timeout before; 0 while nobody is being asked. */
  heldUntilMs = 0;
  questions = 0;
  readonly id: number;
  readonly method: string;
  readonly options: RequestOptions;
  readonly callerToken: RequestId | undefined;
  readonly timeoutMs: number;
  readonly settlers: PromiseWithResolvers<JsonObject>;
  private readonly onCancel: (call: OpenCall<A>) => void;

  constructor(start: {
    id: number;
    method: string;
    params: JsonObject | undefined;
    options: RequestOptions;
    onCancel: (call: OpenCall<A>) => void;
  }) {
    this.id = start.id;
    this.method = start.method;
    this.options = start.options;
    this.callerToken = tokenOf(start.params);
    this.timeoutMs = start.options.timeoutMs ?? defaultTimeoutMs;
    this.settlers = Promise.withResolvers<JsonObject>();
    this.onCancel = start.onCancel;
  }

  /** The caller's signal fired. */
  handleEvent(): void {
    this.onCancel(this);
  }
}

function tokenOf(params: JsonObject | undefined): RequestId | undefined {
  const meta = params?.['_meta'];
  const token = isJsonObject(meta) ? meta['progressToken'] : undefined;
  return typeof token === 'string' || typeof token === 'number' ? token : undefined;
}

/** The calls of one connection, none yet. */
export function createCalls<A = unknown>(deps: CallsDependencies<A>): Calls<A> {
  const { server, clock } = deps;
  const open = createCallTable<OpenCall<A>>();

  function close(call: OpenCall<A>): boolean {
    if (!open.delete(call.id)) return false;
    call.options.signal?.removeEventListener('abort', call);
    deps.onSettle?.(call);
    return true;
  }

  function abandon(call: OpenCall<A>, reason: 'cancelled' | 'timeout', error: Error): void {
    if (!close(call)) return;
    call.settlers.reject(error);
    deps.onAbandon(call, reason);
  }

  const dueAtMs = (call: OpenCall<A>) => Math.max(call.activeAtMs + call.timeoutMs, call.heldUntilMs);

  /** Activity only moves a mark on the call; the one timer of all looks at it when it fires. */
  const deadlines = createDeadlines(clock, (nowMs) => {
    let nextMs = Infinity;
    for (const call of open.values()) {
      const { method, timeoutMs } = call;
      if (dueAtMs(call) <= nowMs)
        abandon(call, 'timeout', new AppError('UPSTREAM_TIMEOUT', { server, method, timeoutMs }));
      else nextMs = Math.min(nextMs, dueAtMs(call));
    }
    return nextMs;
  });

  const onCancel = (call: OpenCall<A>) => abandon(call, 'cancelled', new AppError('REQUEST_CANCELLED'));

  const calls: Calls<A> = {
    reserveId: () => open.nextId(),
    run(method, params, options, send) {
      if (options.signal?.aborted) return Promise.reject(new AppError('REQUEST_CANCELLED'));
      const call = new OpenCall<A>({ id: open.nextId(), method, params, options, onCancel });
      call.activeAtMs = clock.now();
      open.add(call);
      deadlines.add(dueAtMs(call));
      options.signal?.addEventListener('abort', call, { once: true });
      try {
        send(call);
      } catch (error) {
        calls.reject(call, error as Error);
      }
      return call.settlers.promise;
    },
    get: (id) => open.get(id),
    answer(message, resultText) {
      const call = isJsonObject(message) ? open.get(message['id']) : undefined;
      if (!call || !close(call)) return false;
      if (!isResponse(message)) {
        call.settlers.reject(
          new AppError('UPSTREAM_PROTOCOL', { server, problem: 'an answer has no result and no error' }),
        );
      } else if (message.error) {
        const {
          code,
          message: text,
          data,
        } = message.error as { code: unknown; message: unknown; data?: unknown };
        call.settlers.reject(new RpcError({ code: Number(code) || -32603, message: String(text), data }));
      } else {
        const result = message.result ?? {};
        if (resultText !== undefined) call.options.onResultText?.(result, resultText);
        call.settlers.resolve(result);
      }
      return true;
    },
    reject(call, error) {
      const known = open.get(call.id);
      if (known && close(known)) known.settlers.reject(error);
    },
    rejectAll(problem) {
      for (const call of open.values()) {
        const code = call.sent ? 'UPSTREAM_FAILED' : 'UPSTREAM_UNAVAILABLE';
        calls.reject(call, new AppError(code, { server, problem }));
      }
    },
    progress(notification) {
      const call = open.get(notification.params?.['progressToken']);
      if (!call || call.callerToken === undefined) return false;
      call.activeAtMs = clock.now();
      call.options.onNotification?.({
        ...notification,
        params: { ...notification.params, progressToken: call.callerToken },
      });
      return true;
    },
    hold(call) {
      const held = open.get(call.id);
      if (!held) return () => {};
      held.questions += 1;
      held.heldUntilMs = clock.now() + maxHoldMs;
      return () => {
        held.questions -= 1;
        if (held.questions > 0) return;
        held.heldUntilMs = 0;
        held.activeAtMs = clock.now();
        deadlines.add(dueAtMs(held));
      };
    },
    inFlight: () => open.values(),
  };
  return calls;
}
