/** `fetch` over TLS with a trust of our own, which the built-in one does not take. */

import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { Trust } from '../trust.ts';

/** What of a request the bridge uses. */
export interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** Answers of these have no body (Fetch Standard, null body status). */
const bodiless = new Set([204, 205, 304]);

/** Follows no redirects: one comes back as it is. Rejects with what the connection failed with. */
export function httpsFetch(
  url: string,
  { method, headers, body, signal }: Sent,
  trust: Trust,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : Buffer.from(body);
    const length = payload && { 'content-length': String(payload.length) };
    const request = httpsRequest(
      url,
      { method, signal, headers: { ...headers, ...length }, ...trust },
      (response) => {
        const { statusCode: status = 502, rawHeaders } = response;
        const all = new Headers();
        for (let at = 0; at < rawHeaders.length; at += 2) all.append(rawHeaders[at]!, rawHeaders[at + 1]!);
        if (bodiless.has(status)) response.resume();
        const stream = bodiless.has(status) ? null : Readable.toWeb(response);
        // The class of streams is declared twice.
        resolve(new Response(stream as ConstructorParameters<typeof Response>[0], { status, headers: all }));
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}
