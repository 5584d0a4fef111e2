/** Which failures of a call count against the server that it went to. */

import { isAppError } from '../../kernel/errors.ts';

/** Failures that speak against the server. A client that changed its mind, or could not be asked, says nothing. */
export function isServersFault(error: unknown): boolean {
  return isAppError(
    error,
    'UPSTREAM_UNAVAILABLE',
    'UPSTREAM_FAILED',
    'UPSTREAM_TIMEOUT',
    'UPSTREAM_PROTOCOL',
  );
}
