/** What looks at a client's call on its way to a server, and at the answer on its way back. */

import type { CancelSignal } from './cancel.ts';
import type { JsonObject } from './json-rpc.ts';
import type { Priority } from './pool-options.ts';
import type { Principal } from './principal.ts';
import type { Era } from './protocol.ts';

/** A call whose target is known and that nobody has been asked for yet. */
export interface GuardedCall {
  readonly principal: Principal;
  /** Address that the request comes from, where it came over the network. */
  readonly remoteAddress?: string | undefined;
  /** Names the call in logs, errors and the memory's provenance. */
  readonly requestId: string;
  readonly era: Era;
  /** Key of the mount it came in by, such as `all` or `server:one`. */
  readonly mount: string;
  /** `tools/call`, `prompts/get`, `resources/read`, `completion/complete`, or a method that is passed on as it is. */
  readonly method: string;
  /** The server, or the first of those that answer for each other. */
  readonly server: { readonly id: string; readonly category: string };
  /** The server's own name of the tool or prompt, its own URI of the resource; empty where a method has none. */
  readonly name: string;
  /** Of a tool: its definition as the server lists it. */
  readonly definition?: JsonObject | undefined;
  /** As the server gets them; a guard that changes them hands on a copy. */
  readonly params: JsonObject;
  /** The most urgent that it can be in the queue of a server, whatever the client says; no bound when absent. */
  readonly maxPriority?: Priority | undefined;
  /** What the client says that it can do. */
  readonly capabilities?: Readonly<Record<string, unknown>> | undefined;
  /** Aborted when the client cancels or goes away. */
  readonly signal: CancelSignal;
  /** Asks the client's user on the stream of this call; absent where the client cannot be asked. */
  readonly ask?: ((method: string, params: JsonObject) => Promise<JsonObject>) | undefined;
}

/** The rest of the way. Rejects with AppError, or RpcError for what the server answered. */
export type Proceed = (call: GuardedCall) => Promise<JsonObject>;

/** One of them. It lets a call on with `next`, changes what goes in or comes out, or throws an AppError instead. */
export interface CallGuard {
  readonly name: string;
  run(call: GuardedCall, next: Proceed): Promise<JsonObject>;
}

/** The guards as one, the first outermost; undefined when there are none. */
export function joinGuards(guards: readonly CallGuard[]): CallGuard['run'] | undefined {
  return guards.reduceRight<CallGuard['run'] | undefined>(
    (inner, guard) =>
      inner
        ? (call, next) => guard.run(call, (one) => inner(one, next))
        : (call, next) => guard.run(call, next),
    undefined,
  );
}
