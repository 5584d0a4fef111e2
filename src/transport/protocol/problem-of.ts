/** Why something failed, for the `problem` of another error. */

import { isAppError, messageOf } from '../../kernel/errors.ts';

/** The bare problem of an AppError that has one, else the message. */
export function problemOf(error: unknown): string {
  const problem = isAppError(error) ? error.data['problem'] : undefined;
  return typeof problem === 'string' ? problem : messageOf(error);
}
