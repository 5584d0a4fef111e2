/** Where a person signs in, and out. */

import type { SignInOutcome } from '../../identity/people/sign-in.ts';
import { loginField, passwordField } from './fields.ts';
import { html, sendPage, sendTo } from './page.ts';
import { alertBox, formField, type PageHandler, type PeopleParts, sendOn, type Visit } from './visit.ts';

/** Where a sign-in may lead: pages of ours only, so that no link leads elsewhere through us. */
const nextPattern = /^\/(?:account|oauth\/interaction\/[\w-]{1,64})$/;

function nextOf(parameters: URLSearchParams): string {
  const next = parameters.get('next') ?? '';
  return nextPattern.test(next) ? next : '/account';
}

function problemOf({ texts }: Visit, outcome: SignInOutcome): string {
  const problems = { ok: '', wrong: texts.wrong, busy: texts.busy, 'too-many': texts.tooMany };
  return problems[outcome];
}

const statuses = { ok: 200, wrong: 401, busy: 503, 'too-many': 429 };

function show(visit: Visit, parts: PeopleParts, problem?: string, status = 200): void {
  const { response, language, texts, form, query } = visit;
  const login = form?.get('login')?.slice(0, 254) ?? '';
  const described = problem === undefined ? undefined : html`aria-describedby="problem"`;
  const body = html`${alertBox(problem)}
    <form method="post" action="/login">
      ${formField(visit, parts)}<input type="hidden" name="next" value="${nextOf(form ?? query)}" />
      ${loginField(texts, login, html`required autofocus ${described}`)}
      ${passwordField({ name: 'password', label: texts.password, isNew: false }, described)}
      <button type="submit">${texts.signIn}</button>
    </form>`;
  sendPage(response, { language, title: texts.signIn, body }, status);
}

/** Signs somebody in: a new session in place of the one before. */
export async function enter(visit: Visit, { sessions, cookies }: PeopleParts, userId: string): Promise<void> {
  const { request, response } = visit;
  cookies.setSession(response, await sessions.open(userId, cookies.session(request)));
}

export const loginPage: PageHandler = async (visit, parts) => {
  const { form, response, texts } = visit;
  if (!form) {
    show(visit, parts, visit.isStale ? texts.expired : undefined, visit.isStale ? 403 : 200);
    return;
  }
  const {
    outcome,
    user,
    waitMs = 0,
  } = await parts.signIn.withPassword({
    login: form.get('login') ?? '',
    password: form.get('password') ?? '',
    address: parts.addressOf(visit.request),
  });
  if (!user) {
    if (waitMs > 0) response.setHeader('retry-after', Math.ceil(waitMs / 1000));
    show(visit, parts, problemOf(visit, outcome), statuses[outcome]);
    return;
  }
  await enter(visit, parts, user.id);
  sendOn(visit, nextOf(form));
};

export const logoutPage: PageHandler = async (visit, { sessions, cookies }) => {
  if (visit.form) {
    await sessions.close(cookies.session(visit.request));
    cookies.setSession(visit.response, undefined);
  }
  sendTo(visit.response, '/login');
};
