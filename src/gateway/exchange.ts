/** One client request being served, free of HTTP: who asks, and the ways back to them. */

import type { CancelSignal } from '../kernel/cancel.ts';
import type { JsonObject, RpcNotification } from '../kernel/json-rpc.ts';
import type { Priority } from '../kernel/pool-options.ts';
import type { Era, Peer } from '../kernel/protocol.ts';
import type { OnResultText } from '../kernel/result-text.ts';

export interface Exchange {
  readonly era: Era;
  readonly peer: Peer;
  /** Address that the request comes from, where it came over the network. */
  readonly remoteAddress?: string | undefined;
  /** Names this request in logs and in the memory's provenance. */
  readonly requestId: string;
  /** How urgent the client says it is; only where that is less than what it would have anyway does it count. */
  readonly priority?: Priority | undefined;
  /** Aborted when the client cancels or goes away. */
  readonly signal: CancelSignal;
  /** Sends a notification that belongs to this request. */
  notify(notification: RpcNotification): void;
  /** The client has been asked something on behalf of this request. */
  hasAsked?: boolean;
  /** Hears the text of a result; the edge may send it in place of that very object. */
  readonly onResultText?: OnResultText;
  /** Asks the client something while it waits; legacy era only. */
  readonly ask?: (
    method: string,
    params: JsonObject | undefined,
    signal: CancelSignal,
  ) => Promise<JsonObject>;
}

/** The client capability that each request to a client needs. */
export const neededCapability: Readonly<Record<string, string>> = {
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
  'roots/list': 'roots',
};
