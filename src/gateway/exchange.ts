/** One client request being served, free of HTTP: who asks, and the ways back to them. */

import type { JsonObject, RpcNotification } from '../kernel/json-rpc.ts';
import type { Era, Peer } from '../kernel/protocol.ts';

export interface Exchange {
  readonly era: Era;
  readonly peer: Peer;
  /** Names this request in logs and in the memory's provenance. */
  readonly requestId: string;
  /** Aborted when the client cancels or goes away. */
  readonly signal: AbortSignal;
  /** Sends a notification that belongs to this request. */
  notify(notification: RpcNotification): void;
  /** The client has been asked something on behalf of this request. */
  hasAsked?: boolean;
  /** Asks the client something while it waits; legacy era only. */
  readonly ask?: (method: string, params: JsonObject | undefined, signal: AbortSignal) => Promise<JsonObject>;
}

/** The client capability that each request to a client needs. */
export const neededCapability: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
};
