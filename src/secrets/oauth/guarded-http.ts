/** JSON over HTTP from servers that others name: only to addresses that the guard lets pass, no redirects, small answers. */

import { Agent, request } from 'undici';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import { lookupThrough } from '../../kernel/guarded-lookup.ts';
import { isJsonObject, type JsonObject } from '../../kernel/json-rpc.ts';
import { createSsrfGuard, portOf, type SsrfPolicy } from '../../kernel/ssrf-guard.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Empty where it is no JSON object. */
  readonly body: JsonObject;
}

export type GuardedHttp = (
  url: string,
  options?: {
    readonly method?: 'GET' | 'POST';
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  },
) => Promise<HttpAnswer>;

const timeoutMs = 15_000;
const maxBytes = 256 * 1024;

/** Throws FORBIDDEN for a host that may not be reached, UPSTREAM_UNAVAILABLE for one that does not answer. */
export function createGuardedHttp(policy: SsrfPolicy): GuardedHttp {
  const guard = createSsrfGuard(policy);
  return async (text, { method = 'GET', headers, body } = {}) => {
    const url = guard.checkUrl(text);
    const agent = new Agent({ connect: { lookup: lookupThrough(guard, portOf(url)), timeout: timeoutMs } });
    try {
      const answer = await request(url, {
        method,
        dispatcher: agent,
        signal: AbortSignal.timeout(timeoutMs),
        headers: { accept: 'application/json', ...headers },
        ...(body !== undefined && { body }),
      });
      let read = '';
      for await (const chunk of answer.body.setEncoding('utf8')) {
        read += chunk as string;
        if (read.length > maxBytes) throw new Error('its answer is too large');
      }
      return { status: answer.statusCode, headers: answer.headers, body: objectOf(read) };
    } catch (error) {
      if (isAppError(error)) throw error;
      const problem = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
      throw new AppError('UPSTREAM_UNAVAILABLE', { server: url.host, problem });
    } finally {
      await agent.destroy();
    }
  };
}

function objectOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
