/** The name with which a person signs in: an e-mail address, or a word like one. */

import { AppError } from '../../kernel/errors.ts';

const maxLength = 254;

/** One form for all ways to write it: NFC, lower case, without spaces around it. */
export function normalizeLogin(text: string): string {
  return text.trim().normalize('NFC').toLowerCase().normalize('NFC');
}

/** A login as it is kept. Throws INVALID_INPUT. */
export function loginOf(text: string): string {
  const login = normalizeLogin(text);
  // Spaces, and what is not seen (controls, direction marks), would make two logins look alike.
  if (login === '' || login.length > maxLength || /[\s\p{C}]/u.test(login))
    throw new AppError('INVALID_INPUT', {
      field: 'login',
      problem: `must be 1 to ${maxLength} characters without spaces, such as anna@example.org`,
    });
  return login;
}
