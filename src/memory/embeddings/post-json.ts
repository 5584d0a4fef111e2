/** One question to an embedding service: bounded in time and size, its address and key never in an error. */

import { AppError, isAppError } from '../../kernel/errors.ts';

const maxAnswerBytes = 64 * 1024 * 1024;

/** Where to, and for how long. */
export interface PostTarget {
  readonly url: string;
  readonly path: string;
  readonly apiKey?: string | undefined;
  readonly timeoutMs: number;
}

/** Posts JSON and reads JSON; follows no redirect, so that texts and key go to the configured address only. */
export async function postJson(target: PostTarget, body: unknown, signal?: AbortSignal): Promise<unknown> {
  const limits = [AbortSignal.timeout(target.timeoutMs), ...(signal ? [signal] : [])];
  const server = 'embeddings';
  try {
    const response = await fetch(addressOf(target), {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.any(limits),
      headers: {
        'Content-Type': 'application/json',
        ...(target.apiKey !== undefined && { Authorization: `Bearer ${target.apiKey}` }),
      },
      body: JSON.stringify(body),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new AppError('UPSTREAM_FAILED', {
        server,
        problem: `HTTP status ${response.status}`,
        status: response.status,
      });
    }
    return JSON.parse(await readText(response)) as unknown;
  } catch (error) {
    if (isAppError(error)) throw error;
    if (error instanceof SyntaxError) {
      throw new AppError('UPSTREAM_PROTOCOL', { server, problem: 'the answer is no JSON' });
    }
    if (limits[0]?.aborted === true) {
      throw new AppError('UPSTREAM_TIMEOUT', { server, method: target.path, timeoutMs: target.timeoutMs });
    }
    // The cause may name the address with a password in it: only its code is passed on.
    const cause = (error as { cause?: { code?: unknown } }).cause;
    const problem = typeof cause?.code === 'string' ? cause.code : 'cannot be reached';
    throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem });
  }
}

/** The base may end with a slash, and may name the version that the path begins with. */
function addressOf({ url, path }: PostTarget): string {
  const base = url.replace(/\/+$/, '');
  const version = /^\/[^/]+/.exec(path)?.[0] ?? '';
  return base.endsWith(version) ? base + path.slice(version.length) : base + path;
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > maxAnswerBytes) {
      const data = { what: 'the answer of the embedding provider', bytes, limitBytes: maxAnswerBytes };
      throw new AppError('PAYLOAD_TOO_LARGE', data);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
