/** What a person sees of themselves: role, the apps they let in, and the way out. */

import { html, sendPage, sendTo } from './page.ts';
import { formField, type PageHandler } from './visit.ts';

export const accountPage: PageHandler = async (visit, parts) => {
  const { request, response, language, texts, form } = visit;
  const user = await parts.sessions.userOf(parts.cookies.session(request));
  if (!user) {
    sendTo(response, '/login?next=/account');
    return;
  }
  if (form) {
    await parts.server.revoke(user.id, form.get('revoke') ?? '');
    sendTo(response, '/account');
    return;
  }
  const field = formField(visit, parts);
  const leaves = await parts.server.leaves(user.id);
  const items = leaves.map(
    ({ id, clientName, clientId, givenAt }) =>
      html`<li>
        <strong>${clientName}</strong><br /><span class="dim"
          >${clientId}, ${texts.since} ${givenAt.slice(0, 10)}</span
        >
        <form method="post" action="/account">
          ${field}<input type="hidden" name="revoke" value="${id}" />
          <button type="submit" class="quiet" aria-label="${texts.revoke}: ${clientName}">
            ${texts.revoke}
          </button>
        </form>
      </li>`,
  );
  const body = html`<dl>
      <dt>${texts.login}</dt>
      <dd>${user.login}</dd>
      <dt>${texts.role}</dt>
      <dd>${user.role}</dd>
    </dl>
    <h2>${texts.apps}</h2>
    ${
      items.length > 0
        ? html`<ul>
            ${items}
          </ul>`
        : html`<p class="dim">${texts.noApps}</p>`
    }
    <form method="post" action="/logout">${field}<button type="submit">${texts.signOut}</button></form>`;
  sendPage(response, { language, title: texts.account, body });
};
