/** One request of a browser to one of our pages, and what all of them need for it. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthorizationServer } from '../../identity/oauth/authorization-server.ts';
import type { BrowserSessions } from '../../identity/people/browser-sessions.ts';
import type { SignIn } from '../../identity/people/sign-in.ts';
import type { Cookies } from './cookies.ts';
import { type Html, html, sendPage } from './page.ts';
import type { Language, Texts } from './texts.ts';

export interface PeopleParts {
  readonly signIn: SignIn;
  readonly sessions: BrowserSessions;
  readonly server: AuthorizationServer;
  readonly cookies: Cookies;
  /** Where a request comes from. */
  readonly addressOf: (request: IncomingMessage) => string;
}

export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  /** What was posted from a page of ours; undefined for a request that only looks. */
  readonly form: URLSearchParams | undefined;
  /** A form was posted that is not of a page of ours, or of one from before a restart. */
  readonly isStale: boolean;
  readonly language: Language;
  readonly texts: Texts;
}

/** Answers one page. */
export type PageHandler = (visit: Visit, parts: PeopleParts) => Promise<void>;

/** The hidden field that shows that a form is ours. */
export function formField({ request, response }: Visit, { cookies }: PeopleParts): Html {
  return html`<input type="hidden" name="form" value="${cookies.formToken(request, response)}" />`;
}

export function alertBox(text: string | undefined): Html | undefined {
  return text === undefined ? undefined : html`<p class="alert" role="alert" id="problem">${text}</p>`;
}

/** A page that goes on by itself: a redirect in answer to a form would have to pass the form's policy on each hop. */
export function sendOn({ response, language, texts }: Visit, url: string): void {
  const body = html`<p><a class="button" href="${url}">${texts.goOn}</a></p>`;
  sendPage(response, { language, title: texts.goingOn, body, goesTo: url });
}

export function sendMessage(visit: Visit, title: string, text: string, status: number): void {
  const { response, language } = visit;
  sendPage(response, { language, title, body: html`<p>${text}</p>` }, status);
}
