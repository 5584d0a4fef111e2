/** Sessions of legacy clients: identity, log level, the open stream, questions asked, requests in flight. */

import { randomUUID } from 'node:crypto';
import type { CancelSignal } from '../kernel/cancel.ts';
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
import { localOwner, type Principal } from '../kernel/principal.ts';
import type { ClientIdentity, McpLogLevel, Peer } from '../kernel/protocol.ts';
import { type Placed, Roster } from '../kernel/roster.ts';
import type { MountKey } from './mounts.ts';

/** A request being served, by the client's own id. */
export interface InFlight extends Placed {
  readonly id: RequestId;
  readonly abort: () => void;
}

/** Where messages to a client go that belong to no request of its. */
export interface SessionStream {
  send(message: RpcMessage): void;
  /** The session is over, or a newer stream has taken its place. */
  end(): void;
}

export interface Session {
  readonly id: string;
  readonly mount: MountKey;
  readonly protocolVersion: string;
  readonly peer: Peer;
  logLevel: McpLogLevel | undefined;
  /** Watched resource URIs, each with the way to stop. */
  readonly subscriptions: Map<string, () => Promise<void>>;
  /** Requests of this client being served; two may carry one id, though a client should not do that. */
  readonly inFlight: Roster<InFlight>;
  lastSeenMs: number;
  /** Sends a message that belongs to no request; kept (bounded) while no stream is open. */
  send(message: RpcMessage): void;
  /** Makes this the open stream, in place of one before, and hands it what was kept; the returned function detaches it. */
  attach(stream: SessionStream): () => void;
  /** Sends a request through `send` and waits for the client's answer, ten minutes at most: then CLIENT_GONE. */
  ask(
    method: string,
    params: JsonObject | undefined,
    signal: CancelSignal,
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
  /** The local owner when absent. */
  readonly principal?: Principal;
}

export interface Sessions {
  readonly size: number;
  open(start: SessionStart): Session;
  /** The session, its idle time begun anew; throws SESSION_NOT_FOUND when unknown, of another mount or of another user. */
  get(id: string, mount: MountKey, principal?: Principal): Session;
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
const maxKeptChars = 1024 * 1024;

/** A client that lost the question never answers it; its call would hold the session open for ever. */
const maxAnswerMs = 600_000;

export function createSessions(
  clock: Clock,
  limits: SessionLimits,
  onEnd: (session: Session) => void,
): Sessions {
  /** The one that was silent longest comes first. */
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
    for (const [id, { session, isStreaming }] of sessions) {
      if (session.inFlight.size > 0 || isStreaming()) continue;
      end(id);
      return;
    }
    throw new AppError('OVERLOADED', { problem: `${limits.maxSessions} sessions are open` });
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
    get(id, mount, principal = localOwner) {
      const entry = sessions.get(id);
      if (entry?.session.mount !== mount || !isSame(entry.session.peer.principal, principal))
        throw new AppError('SESSION_NOT_FOUND');
      entry.session.lastSeenMs = clock.now();
      // Back to the end of the line.
      sessions.delete(id);
      sessions.set(id, entry);
      return entry.session;
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

function isSame(own: Principal = localOwner, asking: Principal): boolean {
  return own.id === asking.id && own.tenant === asking.tenant;
}

function createSession(start: SessionStart, clock: Clock) {
  const id = randomUUID();
  const waiting = new Map<RequestId, PromiseWithResolvers<JsonObject>>();
  const kept = new Map<string, RpcMessage>();
  let keptChars = 0;
  let stream: SessionStream | undefined;
  let nextId = 0;

  function keep(message: RpcMessage): void {
    // The same news twice is one piece of news: list_changed and updated carry no content.
    const text = JSON.stringify(message);
    if (kept.has(text)) return;
    kept.set(text, message);
    keptChars += text.length;
    for (const oldest of kept.keys()) {
      if (kept.size <= maxKept && keptChars <= maxKeptChars) break;
      kept.delete(oldest);
      keptChars -= oldest.length;
    }
  }

  const session: Session = {
    id,
    mount: start.mount,
    protocolVersion: start.protocolVersion,
    peer: {
      key: id,
      hasSession: true,
      ...(start.principal && { principal: start.principal }),
      clientInfo: start.clientInfo,
      capabilities: start.capabilities,
      get logLevel() {
        return session.logLevel;
      },
    },
    logLevel: undefined,
    subscriptions: new Map(),
    inFlight: new Roster(),
    lastSeenMs: clock.now(),
    send(message) {
      if (stream) stream.send(message);
      else keep(message);
    },
    attach(next) {
      const former = stream;
      stream = next;
      former?.end();
      const waitingForIt = [...kept.values()];
      kept.clear();
      keptChars = 0;
      for (const message of waitingForIt) next.send(message);
      return () => {
        if (stream === next) stream = undefined;
      };
    },
    async ask(method, params, signal, send) {
      const requestId = `gm-${(nextId += 1)}`;
      const answer = Promise.withResolvers<JsonObject>();
      waiting.set(requestId, answer);
      const giveUp = (reason: AppError) => {
        const cancelled: RpcNotification = {
          jsonrpc: '2.0',
          method: 'notifications/cancelled',
          params: { requestId },
        };
        send(cancelled);
        answer.reject(reason);
      };
      const onAbort = () => giveUp(new AppError('REQUEST_CANCELLED'));
      signal.addEventListener('abort', onAbort, { once: true });
      const cancelTimer = clock.after(maxAnswerMs, () => giveUp(new AppError('CLIENT_GONE', { method })));
      send({ jsonrpc: '2.0', id: requestId, method, ...(params && { params }) });
      try {
        return await answer.promise;
      } finally {
        cancelTimer();
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
    isStreaming: () => stream !== undefined,
    close() {
      for (const { abort } of session.inFlight) abort();
      for (const answer of waiting.values())
        answer.reject(new AppError('CLIENT_GONE', { method: 'a request' }));
      const last = stream;
      stream = undefined;
      last?.end();
    },
  };
}
