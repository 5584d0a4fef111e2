/** The fields that our forms share. */

import { type Html, html } from './page.ts';
import type { Texts } from './texts.ts';

/** What somebody signs in with; `rest` are further attributes. */
export function loginField(texts: Texts, value: string, rest: Html): Html {
  return html`<label for="login">${texts.login}</label>
    <input
      id="login"
      name="login"
      autocomplete="username"
      autocapitalize="none"
      spellcheck="false"
      maxlength="254"
      value="${value}"
      ${rest}
    />`;
}

/** A password; a new one has to be long enough. */
export function passwordField(
  field: { readonly name: string; readonly label: string; readonly isNew: boolean },
  rest?: Html,
): Html {
  const { name, label, isNew } = field;
  return html`<label for="${name}">${label}</label>
    <input
      id="${name}"
      name="${name}"
      type="password"
      autocomplete="${isNew ? 'new-password' : 'current-password'}"
      ${isNew ? html`minlength="12"` : undefined}
      maxlength="256"
      required
      ${rest}
    />`;
}
