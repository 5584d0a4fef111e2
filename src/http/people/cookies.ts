/** Cookies of our pages: who is signed in, and the pair of cookie and field that shows a form is ours. */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Cookies {
  /** What the cookie of the session holds. */
  session(request: IncomingMessage): string | undefined;
  /** Undefined takes it away. */
  setSession(response: ServerResponse, token: string | undefined): void;
  /** The value of the hidden field; sets the cookie that belongs to it where there is none. */
  formToken(request: IncomingMessage, response: ServerResponse): string;
  /** True for a form that came from a page of ours in the same browser and session. */
  isOurForm(request: IncomingMessage, token: string | undefined): boolean;
}

const maxAgeSeconds = 12 * 3600;

/** The first cookie of a name; browsers send those of the longest path first. */
function cookieIn({ headers }: IncomingMessage, name: string): string | undefined {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [key = '', value] = part.trim().split(/=(.*)/s);
    if (key === name) return value;
  }
  return undefined;
}

/** `isSecure`: browsers reach the gateway by https, so that the names can be bound to it (`__Host-`). */
export function createCookies(isSecure: () => boolean): Cookies {
  // Forms that are open over a restart have to be sent again.
  const secret = randomBytes(32);
  const nameOf = (name: string) => (isSecure() ? `__Host-${name}` : name);
  const attributes = () => `Path=/; HttpOnly; SameSite=Lax${isSecure() ? '; Secure' : ''}`;

  function add(response: ServerResponse, name: string, value: string, maxAge: number): void {
    response.appendHeader('set-cookie', `${nameOf(name)}=${value}; Max-Age=${maxAge}; ${attributes()}`);
  }

  const session = (request: IncomingMessage) => cookieIn(request, nameOf('gmm_session'));

  function tokenFor(cookie: string, request: IncomingMessage): string {
    return createHmac('sha256', secret)
      .update(`${cookie}\n${session(request) ?? ''}`)
      .digest('base64url');
  }

  return {
    session,
    setSession: (response, token) =>
      add(response, 'gmm_session', token ?? '', token === undefined ? 0 : maxAgeSeconds),
    formToken(request, response) {
      let cookie = cookieIn(request, nameOf('gmm_form'));
      if (cookie === undefined || !/^[\w-]{22}$/.test(cookie)) {
        cookie = randomBytes(16).toString('base64url');
        add(response, 'gmm_form', cookie, maxAgeSeconds);
      }
      return tokenFor(cookie, request);
    },
    isOurForm(request, token) {
      const cookie = cookieIn(request, nameOf('gmm_form'));
      if (cookie === undefined || token === undefined) return false;
      const expected = Buffer.from(tokenFor(cookie, request));
      const given = Buffer.from(token);
      return expected.length === given.length && timingSafeEqual(expected, given);
    },
  };
}
