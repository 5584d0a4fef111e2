/** Sessions of legacy clients: identity, log level, the open stream, questions asked, requests in flight. */

import { randomUUID } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import {
  type JsonObject,
  type RequestId,
  RpcError,
  type RpcMessage,
  type RpcNotification,
  type RpcResponse,
} from '../kernel/json-rpc.ts';
import type { ClientIdentity, McpLogLevel, Peer } from '../kernel/protocol.ts';
import type { MountKey } from './mounts.ts';

export interface Session {
  readonly id: string;
  readonly mount: MountKey;
  readonly protocolVersion: string;
  readonly peer: Peer;
  logLevel: McpLogLevel | undefined;
  /** Watched resource URIs, each with the way to stop. */
  readonly subscriptions: Map<string, () => Promise<void>>;
  /** Requests of this client being served, by its own id. */
  readonly inFlight: Map<RequestId, AbortController>;
  lastSeenMs: number;
  /** Sends a message that belongs to no request; kept (bounded) while no stream is open. */
  send(message: RpcMessage): void;
  /** Makes `sink` the open stream and hands it what was kept; the returned function detaches it. */
  attach(sink: (message: RpcMessage) => void): () => void;
  /** Sends a request through `send` and waits for the client's answer. */
  ask(
    method: string,
    params: JsonObject | undefined,
    signal: AbortSignal,
    send: (message: RpcMessage) => void,
  ): Promise<JsonObject>;
  /** Takes a client's answer; false when nothing waits for it. */
  answer(response: RpcResponse): boolean;
}

export interface SessionStart {
  readonly mount: MountKey;
  readonly protocolVersion: string;
  readonly clientInfo?: ClientIdentity;
  readonly capabilities: JsonObject;
}

export interface Sessions {
  readonly size: number;
  open(start: SessionStart): Session;
  /** The session, its idle time begun anew; throws SESSION_NOT_FOUND when unknown or of another mount. */
  get(id: string, mount: MountKey): Session;
  end(id: string): void;
  all(): Iterable<Session>;
  /** Ends sessions that were idle too long and hold no open stream. */
  sweep(): void;
  close(): void;
}

export interface SessionLimits {
  readonly maxSessions: number;
  readonly idleMs: number;
}

const maxKept = 100;

export function createSessions(
  clock: Clock,
  limits: SessionLimits,
  onEnd: (session: Session) => void,
): Sessions {
  const sessions = new Map<string, { session: Session; isStreaming: () => boolean; close: () => void }>();

  function end(id: string): void {
    const entry = sessions.get(id);
    if (!entry) return;
    sessions.delete(id);
    entry.close();
    onEnd(entry.session);
  }

  function isIdle(entry: { session: Session; isStreaming: () => boolean }): boolean {
    const { session } = entry;
    return (
      session.inFlight.size === 0 && !entry.isStreaming() && clock.now() - session.lastSeenMs > limits.idleMs
    );
  }

  function sweep(): void {
    for (const [id, entry] of sessions) if (isIdle(entry)) end(id);
  }

  /** Full: the session that was silent longest makes room, unless it is at work. */
  function makeRoom(): void {
    sweep();
    if (sessions.size < limits.maxSessions) return;
    let oldest: Session | undefined;
    for (const { session, isStreaming } of sessions.values()) {
      if (session.inFlight.size > 0 || isStreaming()) continue;
      if (!oldest || session.lastSeenMs < oldest.lastSeenMs) oldest = session;
    }
    if (!oldest) throw new AppError('OVERLOADED', { problem: `${limits.maxSessions} sessions are open` });
    end(oldest.id);
  }

  return {
    get size() {
      return sessions.size;
    },
    open(start) {
      if (sessions.size >= limits.maxSessions) makeRoom();
      const entry = createSession(start, clock);
      sessions.set(entry.session.id, entry);
      return entry.session;
    },
    get(id, mount) {
      const session = sessions.get(id)?.session;
      if (session?.mount !== mount) throw new AppError('SESSION_NOT_FOUND');
      session.lastSeenMs = clock.now();
      return session;
    },
    end,
    *all() {
      for (const { session } of sessions.values()) yield session;
    },
    sweep,
    close() {
      for (const id of sessions.keys()) end(id);
    },
  };
}

function createSession(start: SessionStart, clock: Clock) {
  const id = randomUUID();
  const waiting = new Map<RequestId, PromiseWithResolvers<JsonObject>>();
  const kept: RpcMessage[] = [];
  let sink: ((message: RpcMessage) => void) | undefined;
  let nextId = 0;

  function keep(message: RpcMessage): void {
    // The same news twice is one piece of news: list_changed and updated carry no content.
    const text = JSON.stringify(message);
    if (kept.some((other) => JSON.stringify(other) === text)) return;
    kept.push(message);
    if (kept.length > maxKept) kept.shift();
  }

  const session: Session = {
    id,
    mount: start.mount,
    protocolVersion: start.protocolVersion,
    peer: {
      key: id,
      clientInfo: start.clientInfo,
      capabilities: start.capabilities,
      get logLevel() {
        return session.logLevel;
      },
    },
    logLevel: undefined,
    subscriptions: new Map(),
    inFlight: new Map(),
    lastSeenMs: clock.now(),
    send(message) {
      if (sink) sink(message);
      else keep(message);
    },
    attach(next) {
      sink = next;
      for (const message of kept.splice(0)) next(message);
      return () => {
        if (sink === next) sink = undefined;
      };
    },
    async ask(method, params, signal, send) {
      const requestId = `gm-${(nextId += 1)}`;
      const answer = Promise.withResolvers<JsonObject>();
      waiting.set(requestId, answer);
      const onAbort = () => {
        const cancelled: RpcNotification = {
          jsonrpc: '2.0',
          method: 'notifications/cancelled',
          params: { requestId },
        };
        send(cancelled);
        answer.reject(new AppError('REQUEST_CANCELLED'));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      send({ jsonrpc: '2.0', id: requestId, method, ...(params && { params }) });
      try {
        return await answer.promise;
      } finally {
        waiting.delete(requestId);
        signal.removeEventListener('abort', onAbort);
      }
    },
    answer(response) {
      const answer = response.id === null ? undefined : waiting.get(response.id);
      if (!answer) return false;
      if (response.error) answer.reject(new RpcError(response.error));
      else answer.resolve(response.result ?? {});
      return true;
    },
  };
  return {
    session,
    isStreaming: () => sink !== undefined,
    close() {
      for (const controller of session.inFlight.values()) controller.abort();
      for (const answer of waiting.values())
        answer.reject(new AppError('CLIENT_GONE', { method: 'a request' }));
      sink = undefined;
    },
  };
}
