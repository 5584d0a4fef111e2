/** Fetches what a client's id or keys point to, through the guard against server-side request forgery. */

import { request } from 'node:https';
import { AppError } from '../../kernel/errors.ts';
import { portOf, type SsrfGuard } from '../../kernel/ssrf-guard.ts';

const timeoutMs = 5000;
const maxBytes = 64 * 1024;

/** One GET over https, without following redirects. Throws AppError. */
export async function fetchGuarded(guard: SsrfGuard, address: string): Promise<Response> {
  const url = guard.checkUrl(address);
  if (url.protocol !== 'https:')
    throw new AppError('FORBIDDEN', { problem: `${url.origin} is not fetched: only https is` });
  const addresses = await guard.resolve(url.hostname, portOf(url));
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const outgoing = request(
    url,
    {
      headers: { accept: 'application/json' },
      agent: false,
      // The addresses that were judged: a second answer of the name server moves nothing.
      lookup: (_host, options, callback) => {
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, addresses[0]!.address, addresses[0]!.family);
      },
      signal: AbortSignal.timeout(timeoutMs),
    },
    (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBytes)
          incoming.destroy(
            new AppError('PAYLOAD_TOO_LARGE', { what: url.href, bytes, limitBytes: maxBytes }),
          );
        else chunks.push(chunk);
      });
      incoming.once('error', reject);
      incoming.once('end', () => {
        const headers = new Headers();
        for (const name of ['cache-control', 'expires', 'content-type'] as const) {
          const value = incoming.headers[name];
          if (value !== undefined) headers.set(name, value);
        }
        const status = incoming.statusCode ?? 502;
        const isEmpty = [204, 205, 304].includes(status) || status < 200;
        resolve(
          new Response(isEmpty ? null : Buffer.concat(chunks), {
            status: status < 200 ? 502 : status,
            headers,
          }),
        );
      });
    },
  );
  outgoing.once('error', reject);
  outgoing.end();
  return await promise;
}
