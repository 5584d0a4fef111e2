/** Who a request is made for. The edge finds out; everything behind it goes by this value only. */

import type { JsonObject } from './json-rpc.ts';

/** What is left to a caller of what the role allows; patterns are names, or beginnings with `*` at their end. */
export interface Narrowing {
  /** Ids of servers. */
  readonly servers?: readonly string[] | undefined;
  /** Names of tools, by themselves or as `<server>__<tool>`. */
  readonly tools?: readonly string[] | undefined;
  /** Scopes of the memory. */
  readonly scopes?: readonly string[] | undefined;
}

export interface Principal {
  /** Unique inside its tenant. */
  readonly id: string;
  readonly tenant: string;
  /** Built in (`roles.ts`) or of the policy; one that nobody knows allows nothing. */
  readonly role: string;
  /** What conditions of the policy may ask for. */
  readonly groups?: readonly string[] | undefined;
  /** Nothing is held back when absent. Whoever has one calls and remembers, and manages nothing. */
  readonly narrowing?: Narrowing | undefined;
  /** What an identity provider says of them, for conditions. */
  readonly claims?: JsonObject | undefined;
}

/** Whoever reaches a coordinator that knows no identities: the person who runs it. */
export const localOwner: Principal = { id: 'owner', tenant: 'default', role: 'owner' };

/** True for the one who may do everything, whatever the policy says. */
export function isFullOwner({ role, narrowing }: Principal): boolean {
  return role === 'owner' && narrowing === undefined;
}
