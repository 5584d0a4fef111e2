/** Where a person says whether a client gets in. */

import type { ConsentStep } from '../../identity/oauth/consent-step.ts';
import type { Person } from '../../identity/people/sign-in.ts';
import { html, sendPage, sendTo } from './page.ts';
import { alertBox, formField, type PageHandler, type PeopleParts, sendOn, type Visit } from './visit.ts';

/** The part of an address that tells a person where it leads. */
function placeOf(uri: string): string {
  const url = URL.parse(uri);
  if (!url) return uri;
  return url.host === '' ? url.protocol : url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin;
}

function isLocal(uri: string): boolean {
  const url = URL.parse(uri);
  return url?.protocol !== 'https:';
}

function show(visit: Visit, parts: PeopleParts, step: ConsentStep, user: Person): void {
  const { response, language, texts, path } = visit;
  const warning = isLocal(step.redirectUri) ? html`<p class="dim">${texts.localWarning}</p>` : undefined;
  const body = html`${alertBox(visit.isStale ? texts.expired : undefined)}
    <dl>
      <dt>${texts.app}</dt>
      <dd><strong>${step.clientName}</strong></dd>
      <dt>${texts.clientId}</dt>
      <dd>${step.clientId}</dd>
      <dt>${texts.goesTo}</dt>
      <dd>${placeOf(step.redirectUri)}</dd>
      <dt>${texts.reaches}</dt>
      <dd>${step.resources.join(', ')}</dd>
    </dl>
    <p>${texts.asYou} <strong>${user.login}</strong> (${user.role}).</p>
    ${warning}
    <form method="post" action="${path}">
      ${formField(visit, parts)}
      <button type="submit" name="answer" value="allow">${texts.allow}</button>
      <button type="submit" name="answer" value="refuse" class="quiet">${texts.refuse}</button>
    </form>`;
  sendPage(response, { language, title: texts.letIn, body });
}

export const consentPage: PageHandler = async (visit, parts) => {
  const { request, response, path, form } = visit;
  const step = await parts.server.step(request, response);
  const user = await parts.sessions.userOf(parts.cookies.session(request));
  if (!user) {
    sendTo(response, `/login?next=${path}`);
    return;
  }
  if (step.asks === 'login') {
    sendTo(response, await step.login(user.id));
    return;
  }
  if (!form) {
    show(visit, parts, step, user);
    return;
  }
  const answer = form.get('answer');
  if (answer === 'allow') sendOn(visit, await step.consent(user.id));
  else sendOn(visit, await step.refuse());
};
