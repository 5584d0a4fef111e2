/**
 * One live link to an upstream MCP server, whatever carries it. Three kinds implement it (stdio,
 * streamable-http, in-process) and one contract battery runs over all three.
 */

import type { CancelSignal } from '../kernel/cancel.ts';
import type { JsonObject, RpcNotification, RpcRequest } from '../kernel/json-rpc.ts';
import type { Era, Peer } from '../kernel/protocol.ts';
import type { OnResultText } from '../kernel/result-text.ts';

export type { Peer };

export interface ServerIdentity {
  readonly info: { readonly name: string; readonly version: string; readonly [key: string]: unknown };
  readonly capabilities: JsonObject;
  readonly instructions?: string;
}

export interface RequestOptions {
  readonly peer?: Peer;
  /** Abort cancels upstream (`notifications/cancelled`, or the stream is closed) and rejects REQUEST_CANCELLED. */
  readonly signal?: CancelSignal;
  /** Default 60,000; progress from the upstream starts the time anew. */
  readonly timeoutMs?: number;
  /**
   * Progress and log messages that belong to this request. `params.progressToken` is the token the
   * caller put in `params._meta`; the connection maps tokens where the upstream needs unique ones.
   */
  readonly onNotification?: (notification: RpcNotification) => void;
  /** A request the upstream sends while it works on this one (legacy era: sampling, elicitation, roots). */
  readonly onRequest?: (request: RpcRequest, signal: CancelSignal) => Promise<JsonObject>;
  /**
   * Arguments repeated as `Mcp-Param-<name>` headers (modern era over HTTP, `x-mcp-header` in the tool's
   * schema): header name after the prefix to raw value; the connection encodes what a header cannot carry.
   */
  readonly paramHeaders?: Readonly<Record<string, string>>;
  /** Hears the result's own text just before the request resolves, where the connection could keep it. */
  readonly onResultText?: OnResultText;
  /** Id that log lines and memory commits of this request share; made up when absent. */
  readonly requestId?: string;
}

export interface ConnectionEvents {
  /** Notifications that belong to no request: list_changed, resources/updated, log messages. */
  onNotification?(notification: RpcNotification): void;
  /** Called once, when the link is gone for a reason other than our own close. */
  onClose?(reason: Error): void;
}

export interface Connection extends AsyncDisposable {
  readonly era: Era;
  readonly protocolVersion: string;
  readonly server: ServerIdentity;
  /** Operating-system process id where there is one, for listings. */
  readonly pid?: number;
  /**
   * Sends a request and resolves with the result object, `resultType: input_required` included. Rejects with
   * RpcError (the upstream's own error) or AppError: UPSTREAM_UNAVAILABLE (never sent), UPSTREAM_FAILED
   * (sent, answer lost), UPSTREAM_TIMEOUT, REQUEST_CANCELLED, UPSTREAM_PROTOCOL.
   */
  request(method: string, params?: JsonObject, options?: RequestOptions): Promise<JsonObject>;
  notify(method: string, params?: JsonObject): void;
  /**
   * Starts listening for changes of a resource: `resources/subscribe` in the legacy era, a wider
   * `subscriptions/listen` in the modern one. Updates arrive at `onNotification`. Calls are not counted here.
   */
  subscribe(uri: string): Promise<void>;
  unsubscribe(uri: string): Promise<void>;
  /** Ends the link; resolves when nothing of it is left (a child's whole process group included). Idempotent. */
  close(): Promise<void>;
}
