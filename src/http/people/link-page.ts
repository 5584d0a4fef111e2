/** Where a one-time link leads: the first owner, somebody invited, or somebody who needs another password. */

import { isAppError } from '../../kernel/errors.ts';
import type { Person } from '../../identity/people/sign-in.ts';
import { loginField, passwordField } from './fields.ts';
import { enter } from './login-page.ts';
import { html, sendPage } from './page.ts';
import {
  alertBox,
  formField,
  type PageHandler,
  type PeopleParts,
  sendMessage,
  sendOn,
  type Visit,
} from './visit.ts';

function show(
  visit: Visit,
  parts: PeopleParts,
  target: Person | null,
  token: string,
  problem?: string,
): void {
  const { response, language, texts, form, path } = visit;
  const why = target === null ? html`<p>${texts.firstOwnerWhy}</p>` : undefined;
  const login = target?.login ?? form?.get('login')?.slice(0, 254) ?? '';
  const fixed = target === null ? html`required autofocus` : html`readonly`;
  const body = html`${alertBox(problem)}${why}
    <form method="post" action="${path}">
      ${formField(visit, parts)}<input type="hidden" name="token" value="${token}" />
      ${loginField(texts, login, fixed)}
      ${passwordField({ name: 'password', label: texts.password, isNew: true }, html`aria-describedby="rule"`)}
      ${passwordField({ name: 'again', label: texts.passwordAgain, isNew: true })}
      <p class="dim" id="rule">${texts.passwordRule}</p>
      <button type="submit">${texts.save}</button>
    </form>`;
  const title = target === null ? texts.firstOwner : texts.setPassword;
  sendPage(response, { language, title, body }, problem === undefined ? 200 : 400);
}

export const linkPage: PageHandler = async (visit, parts) => {
  const { form, query, texts } = visit;
  const token = (form ?? query).get('token') ?? '';
  const target = await parts.signIn.linkTarget(token, parts.addressOf(visit.request));
  const isDead = () => sendMessage(visit, texts.deadLink, texts.deadLinkWhy, 404);
  if (target === undefined) {
    isDead();
    return;
  }
  if (!form) {
    show(visit, parts, target, token, visit.isStale ? texts.expired : undefined);
    return;
  }
  const password = form.get('password') ?? '';
  if (password !== form.get('again')) {
    show(visit, parts, target, token, texts.notSame);
    return;
  }
  try {
    const user = await parts.signIn.withLink(token, {
      login: form.get('login') ?? '',
      password,
      address: parts.addressOf(visit.request),
    });
    if (!user) {
      isDead();
      return;
    }
    await enter(visit, parts, user.id);
    sendOn(visit, '/account');
  } catch (error) {
    if (!isAppError(error, 'INVALID_INPUT', 'OVERLOADED')) throw error;
    const isPassword = error.data['field'] === 'password';
    const problem =
      error.code === 'OVERLOADED' ? texts.busy : isPassword ? texts.badPassword : texts.badLogin;
    show(visit, parts, target, token, problem);
  }
};
