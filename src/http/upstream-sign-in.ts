/** The two pages of a sign-in for a server: where it begins, and where the authorization server sends the browser back to. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAppError, messageOf } from '../kernel/errors.ts';

/** What the pages need; see `src/secrets/oauth/sign-in.ts`. */
export interface SignInPages {
  start(ticket: string): Promise<{
    readonly server: string;
    readonly principal: string;
    readonly location: string;
    readonly cookie: string;
  }>;
  finish(query: URLSearchParams, cookie: string | undefined): Promise<{ readonly server: string }>;
}

export const signInPath = /^\/oauth\/upstream\/(start|callback)$/;
const cookieName = 'gmm_sign_in';

/** No scripts, no frames, and no address of this page for others: it holds the ticket. */
const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
};

const escape = (text: string) => text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);

function page(title: string, body: string): string {
  const style = 'body{font:1rem/1.5 system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem}';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><style>${style}</style><h1>${title}</h1>${body}</html>`;
}

/** The cookie of a ticket: one a try, so that two tries in one browser do not end each other. */
function cookieOf({ headers: { cookie = '' } }: IncomingMessage, ticket: string): string | undefined {
  const name = `${cookieName}_${ticket.slice(0, 8)}`;
  const found = cookie.split(/;\s*/).find((pair) => pair.startsWith(`${name}=`));
  return found?.slice(name.length + 1);
}

/** Answers a path that `signInPath` matches; `isSecure`: the browser speaks https. */
export async function serveSignIn(
  pages: SignInPages,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  search: string,
  isSecure: boolean,
): Promise<void> {
  const query = new URLSearchParams(search);
  try {
    if (path.endsWith('/start')) {
      const ticket = query.get('ticket') ?? '';
      const { server, principal, location, cookie } = await pages.start(ticket);
      const text = `<p><b>${escape(server)}</b> is to be used in your name, by <b>${escape(principal)}</b> of this gateway.</p><p>Go on only if you have asked for this yourself just now. You will sign in at <b>${escape(new URL(location).host)}</b>.</p><p><a href="${escape(location)}" rel="noreferrer">Go on</a></p>`;
      const name = `${cookieName}_${ticket.slice(0, 8)}`;
      const setCookie = `${name}=${cookie}; HttpOnly; SameSite=Lax; Path=/oauth/upstream; Max-Age=600${isSecure ? '; Secure' : ''}`;
      response.writeHead(200, { ...headers, 'set-cookie': setCookie }).end(page('Connect a server', text));
      return;
    }
    const { server } = await pages.finish(query, cookieOf(request, query.get('state') ?? ''));
    const text = `<p><b>${escape(server)}</b> can be used now. You can close this page.</p>`;
    response.writeHead(200, headers).end(page('Done', text));
  } catch (error) {
    const said = isAppError(error, 'STATE_EXPIRED')
      ? 'This link was used already, is too old, or was begun in another browser. Make the call again for a new one.'
      : isAppError(error)
        ? messageOf(error)
        : 'Something failed here.';
    response.writeHead(400, headers).end(page('It did not work', `<p>${escape(said)}</p>`));
  }
}
