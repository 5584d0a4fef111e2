/** Pages for people, and the authorization server behind them: what is open to those who have no key yet. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorPage } from '../../identity/oauth/create-provider.ts';
import { isAppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { toProblem } from '../problem.ts';
import { accountPage } from './account-page.ts';
import { consentPage } from './consent-page.ts';
import { linkPage } from './link-page.ts';
import { loginPage, logoutPage } from './login-page.ts';
import { html, pageHeaders, pageText } from './page.ts';
import { readForm } from './read-form.ts';
import { languageOf, textsOf } from './texts.ts';
import { type PageHandler, type PeopleParts, sendMessage, type Visit } from './visit.ts';

/** True when the path was its own, and is answered. */
export type PeopleEndpoint = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;

const pages = new Map<string, PageHandler>([
  ['/login', loginPage],
  ['/login/first', linkPage],
  ['/login/link', linkPage],
  ['/logout', logoutPage],
  ['/account', accountPage],
]);
const interactionPath = /^\/oauth\/interaction\/[\w-]{1,64}$/;
/** Also with a path behind it, as clients ask that take the endpoint for the issuer (RFC 8414, 3.1). */
const metadataPath = /^(\/\.well-known\/(?:oauth-authorization-server|openid-configuration))(?:\/.*)?$/;

function pageFor(path: string): PageHandler | undefined {
  return interactionPath.test(path) ? consentPage : pages.get(path);
}

/** The page of an error that the authorization server cannot tell the client. */
export function errorPage(request: IncomingMessage, error: string, description: string): ErrorPage {
  const language = languageOf(request.headers['accept-language']);
  const texts = textsOf(language);
  const text = error === 'invalid_request' && /session|expired/.test(description) ? texts.over : description;
  const body = html`<p>${text}</p>
    <p class="dim">${error}</p>`;
  return { headers: pageHeaders, text: pageText({ language, title: texts.failed, body }) };
}

export function createPeopleEndpoint(parts: PeopleParts & { readonly logger: Logger }): PeopleEndpoint {
  async function visitOf(request: IncomingMessage, response: ServerResponse, path: string): Promise<Visit> {
    const language = languageOf(request.headers['accept-language']);
    const query = new URLSearchParams(request.url?.split(/\?(.*)/s)[1] ?? '');
    const base = { request, response, path, query, language, texts: textsOf(language) };
    if (request.method !== 'POST') return { ...base, form: undefined, isStale: false };
    const form = await readForm(request);
    if (parts.cookies.isOurForm(request, form.get('form') ?? undefined))
      return { ...base, form, isStale: false };
    // What was typed is dropped; a link's token is kept, so that the page can be shown again.
    const kept = new URLSearchParams({ token: form.get('token') ?? '', next: form.get('next') ?? '' });
    return { ...base, query: kept, form: undefined, isStale: true };
  }

  async function servePage(
    handler: PageHandler,
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ) {
    let visit: Visit | undefined;
    try {
      visit = await visitOf(request, response, path);
      await handler(visit, parts);
    } catch (error) {
      const problem = toProblem(error, parts.logger);
      const texts = textsOf(languageOf(request.headers['accept-language']));
      const text = isAppError(error, 'NOT_FOUND') ? texts.over : problem.detail;
      if (response.headersSent) response.destroy();
      else if (visit) sendMessage(visit, texts.failed, text, problem.status);
      else response.writeHead(problem.status, { connection: 'close' }).end();
    }
  }

  async function serveProtocol(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await parts.server.serve(request, response);
    } catch (error) {
      const problem = toProblem(error, parts.logger);
      if (response.headersSent) response.destroy();
      else
        response
          .writeHead(problem.status, { 'content-type': 'application/json' })
          .end(JSON.stringify({ error: 'server_error', error_description: problem.detail }));
    }
  }

  return (request, response, path) => {
    const handler = pageFor(path);
    if (handler) {
      void servePage(handler, request, response, path);
      return true;
    }
    const metadata = metadataPath.exec(path)?.[1];
    if (metadata === undefined && !path.startsWith('/oauth/')) return false;
    if (metadata !== undefined) request.url = metadata;
    void serveProtocol(request, response);
    return true;
  };
}
