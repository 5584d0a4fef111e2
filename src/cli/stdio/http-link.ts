/** One POST or GET to the endpoint. A refused connection is tried again for a while: nothing was sent yet. */

import { setTimeout as sleep } from 'node:timers/promises';
import { keyHeaders } from '../find-coordinator.ts';
import { connectionFailure, isCertificateProblem, type Trust } from '../trust.ts';
import { httpsFetch, type Sent } from './https-fetch.ts';

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
  // fetch wraps what the connection failed with.
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : undefined;
  const causes: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  return causes.some((one) => one instanceof Error && 'code' in one && one.code === 'ECONNREFUSED');
}

export interface HttpLinkOptions {
  /** How long a coordinator that is not there yet (or restarts) is waited for, milliseconds. */
  readonly waitMs: number;
  readonly key?: string | undefined;
  /** Whom to trust; needed for HTTPS, and asked again when a certificate is refused. */
  readonly findTrust?: (() => Promise<Trust>) | undefined;
}

export function createHttpLink(url: string, { waitMs, key, findTrust }: HttpLinkOptions): HttpLink {
  let trust: Trust | undefined;

  async function sendOnce(sent: Sent): Promise<Response> {
    if (!findTrust) return await fetch(url, { ...sent, redirect: 'error' });
    const isFirst = trust === undefined;
    trust ??= await findTrust();
    try {
      return await httpsFetch(url, sent, trust);
    } catch (error) {
      if (isFirst || !isCertificateProblem(error)) throw error;
      trust = await findTrust();
      return await httpsFetch(url, sent, trust);
    }
  }

  return {
    url,
    async send(method, headers, body, signal) {
      const deadlineMs = performance.now() + waitMs;
      for (;;) {
        try {
          return await sendOnce({
            method,
            signal,
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
            throw connectionFailure(new URL(url).origin, error);
          }
          await sleep(retryMs, undefined, { signal });
        }
      }
    },
  };
}
