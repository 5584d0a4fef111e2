/** One POST or GET to the endpoint. A refused connection is tried again for a while: nothing was sent yet. */

import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../kernel/errors.ts';
import { keyHeaders } from '../find-coordinator.ts';

/** The way to one endpoint. */
export interface HttpLink {
  readonly url: string;
  /** Throws COORDINATOR_NOT_RUNNING when nobody answers within the waiting time. */
  send(
    method: 'POST' | 'GET' | 'DELETE',
    headers: Readonly<Record<string, string>>,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Response>;
}

const retryMs = 200;

/** True when the connection was never made. */
function isRefused(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.some((one) => one instanceof Error && 'code' in one && one.code === 'ECONNREFUSED');
}

/** `waitMs`: how long a coordinator that is not there yet (or restarts) is waited for. */
export function createHttpLink(url: string, waitMs: number, key?: string): HttpLink {
  return {
    url,
    async send(method, headers, body, signal) {
      const deadlineMs = performance.now() + waitMs;
      for (;;) {
        try {
          return await fetch(url, {
            method,
            signal,
            redirect: 'error',
            headers: {
              accept: method === 'POST' ? 'application/json, text/event-stream' : 'text/event-stream',
              ...(body !== undefined && { 'content-type': 'application/json' }),
              ...keyHeaders(key),
              ...headers,
            },
            ...(body !== undefined && { body: JSON.stringify(body) }),
          });
        } catch (error) {
          signal.throwIfAborted();
          if (!isRefused(error) || performance.now() >= deadlineMs) {
            throw new AppError('COORDINATOR_NOT_RUNNING', { url: new URL(url).origin }, { cause: error });
          }
          await sleep(retryMs, undefined, { signal });
        }
      }
    },
  };
}
