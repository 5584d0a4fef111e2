/** Name resolution of sockets through the guard against server-side request forgery. */

import type { LookupFunction } from 'node:net';
import type { SsrfGuard } from './ssrf-guard.ts';

type Callback = Parameters<LookupFunction>[2];

/** The socket connects to the addresses that were judged, so a second answer of the name server moves nothing. */
export function lookupThrough(guard: SsrfGuard, port: number): LookupFunction {
  async function answer(hostname: string, isAll: boolean, callback: Callback): Promise<void> {
    try {
      const addresses = await guard.resolve(hostname, port);
      const [first] = addresses;
      if (isAll) callback(null, [...addresses]);
      else callback(null, first?.address ?? '', first?.family);
    } catch (error) {
      callback(error as NodeJS.ErrnoException, '');
    }
  }
  return (hostname, options, callback) => void answer(hostname, options.all === true, callback);
}
