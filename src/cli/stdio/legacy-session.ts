/**
 * The session of a legacy client at the endpoint. When the coordinator was restarted and no longer knows it,
 * the client's own initialize is repeated, so that the client notices nothing.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject, isRequest, type RpcRequest } from '../../kernel/json-rpc.ts';
import { mcpHeaders } from '../../kernel/protocol.ts';
import type { HttpLink } from './http-link.ts';
import { readAnswer } from './read-answer.ts';

/** The one session of a legacy client. */
export interface LegacySession {
  /** Headers of every message after initialize; waits while the session is being renewed. */
  headers(): Promise<Record<string, string>>;
  /** True once a session id was given. */
  readonly isOpen: boolean;
  /** Takes note of what a new session would have to be told again. */
  remember(message: unknown): void;
  /** Takes the answer to the client's own initialize. */
  opened(response: Response, result: unknown): void;
  /** Opens the stream for messages from the server; once. */
  listen(): void;
  /** Opens a new session in place of the one with these headers; several callers share one attempt. */
  renew(lost: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

const firstRetryMs = 500;
const longestRetryMs = 30_000;
const goodbyeMs = 1000;

/** A session that opens with the client's initialize; `emit` writes to the client, `closing` ends the stream. */
export function createLegacySession(
  link: HttpLink,
  emit: (message: unknown) => void,
  closing: AbortSignal,
): LegacySession {
  const replay = new Map<string, RpcRequest>();
  let initialize: RpcRequest | undefined;
  let current: Record<string, string> = {};
  let renewal: Promise<void> | undefined;
  let isListening = false;

  function take(response: Response, result: unknown): void {
    const id = response.headers.get(mcpHeaders.sessionId);
    const version = isJsonObject(result) ? result['protocolVersion'] : undefined;
    current = {
      ...(id !== null && { [mcpHeaders.sessionId]: id }),
      ...(typeof version === 'string' && { [mcpHeaders.protocolVersion]: version }),
    };
  }

  async function repeat(
    message: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ response: Response; answer: unknown }> {
    const response = await link.send('POST', headers, message, closing);
    let answer: unknown;
    for await (const one of readAnswer(response)) answer = one;
    return { response, answer };
  }

  async function reopen(): Promise<void> {
    if (!initialize) return;
    const { response, answer } = await repeat({ ...initialize, id: `renew-${crypto.randomUUID()}` }, {});
    take(response, isJsonObject(answer) ? answer['result'] : undefined);
    await repeat({ jsonrpc: '2.0', method: 'notifications/initialized' }, current);
    for (const request of replay.values()) {
      await repeat({ ...request, id: `renew-${crypto.randomUUID()}` }, current);
    }
  }

  async function renew(lost: Readonly<Record<string, string>>): Promise<void> {
    // Someone else was faster.
    if (lost[mcpHeaders.sessionId] !== current[mcpHeaders.sessionId] && !renewal) return;
    renewal ??= reopen().finally(() => {
      renewal = undefined;
    });
    await renewal;
  }

  /** Keeps the stream open; returns when the server offers none. */
  async function follow(): Promise<void> {
    for (let retryMs = firstRetryMs; !closing.aborted; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
      const used = current;
      try {
        const response = await link.send('GET', used, undefined, closing);
        if (response.status === 405) return;
        if (response.status === 404) await renew(used);
        if (response.ok) {
          retryMs = firstRetryMs;
          for await (const message of readAnswer(response)) emit(message);
        } else await response.body?.cancel();
      } catch {
        // The endpoint is away: it is asked again below, and requests tell the client.
      }
      await sleep(retryMs, undefined, { signal: closing }).catch(() => {});
    }
  }

  return {
    async headers() {
      await renewal;
      return current;
    },
    get isOpen() {
      return current[mcpHeaders.sessionId] !== undefined;
    },
    remember(message) {
      if (!isRequest(message)) return;
      const uri = String(message.params?.['uri']);
      if (message.method === 'initialize') initialize = message;
      else if (message.method === 'logging/setLevel') replay.set('level', message);
      else if (message.method === 'resources/subscribe') replay.set(`uri ${uri}`, message);
      else if (message.method === 'resources/unsubscribe') replay.delete(`uri ${uri}`);
    },
    opened: take,
    listen() {
      if (isListening || current[mcpHeaders.sessionId] === undefined) return;
      isListening = true;
      void follow();
    },
    renew,
    async close() {
      if (current[mcpHeaders.sessionId] === undefined) return;
      // The endpoint forgets idle sessions anyway.
      await link.send('DELETE', current, undefined, AbortSignal.timeout(goodbyeMs)).catch(() => {});
    },
  };
}
