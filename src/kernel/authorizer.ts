/** What edges and the gateway ask before they do or show something. */

import type { Action } from './actions.ts';
import type { JsonObject } from './json-rpc.ts';
import type { MemoryClient } from './memory/operations.ts';
import type { Principal } from './principal.ts';

/** Memories that a request is about. */
export interface MemoryPlace {
  /** All scopes when absent. */
  readonly scope?: string | undefined;
  /** The key, or the beginning of keys. */
  readonly prefix: string;
  /** The prefix is one whole key. */
  readonly isExact: boolean;
}

export interface ServerName {
  readonly id: string;
  readonly category: string;
}

export interface PolicyQuery {
  readonly action: Action;
  readonly server?: ServerName | undefined;
  /** The server's own name, and the definition as the server lists it. */
  readonly tool?: { readonly name: string; readonly definition?: JsonObject | undefined } | undefined;
  readonly place?: MemoryPlace | undefined;
  readonly arguments?: JsonObject | undefined;
  /** Address that the request comes from, where it came over the network. */
  readonly remoteAddress?: string | undefined;
}

/** An item of a list. */
export interface ShownItem {
  readonly kind: 'tools' | 'prompts' | 'resources';
  readonly server: ServerName;
  /** The server's own name or URI. */
  readonly name: string;
  readonly definition?: JsonObject | undefined;
}

/** What one kind of caller sees. */
export interface Shown {
  /** The same text for all who see the same, and another one once the policy has changed. */
  readonly audience: string;
  /** What depends on arguments, time or network shows. */
  shows(item: ShownItem): boolean;
}

export interface Authorizer {
  /** Throws FORBIDDEN. */
  assertMay(principal: Principal, query: PolicyQuery): void;
  /** Throws FORBIDDEN when there is nothing at all for which the action is allowed. */
  assertMayAnywhere(principal: Principal, actions: readonly Action[]): void;
  /** Undefined for who sees everything. */
  shownTo(principal: Principal): Shown | undefined;
  /** The memory, as far as the principal may see and change it. */
  memoryFor(principal: Principal, memory: MemoryClient, remoteAddress?: string): MemoryClient;
  /** True when the whole memory may be read. */
  mayClone(principal: Principal): boolean;
  /** A check of places that a push brings; undefined when every place may be written. Throws FORBIDDEN when none may. */
  pushCheck(principal: Principal): ((scope: string, key: string) => boolean) | undefined;
}
