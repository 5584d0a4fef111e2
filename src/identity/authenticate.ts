/** Who sends a request, by its Authorization header (RFC 6750, RFC 7617). */

import { AppError } from '../kernel/errors.ts';
import { localOwner, type Principal } from '../kernel/principal.ts';
import { isTokenLike, type TokenCheck } from './oauth/access-tokens.ts';
import type { KeyRing, Thumbprint } from './key-ring.ts';
import { hashOf, idOf, isSameHash } from './key-text.ts';

/** What a request shows beside its header. */
export interface Shown {
  /** The URL that is asked for, without its query. */
  readonly target?: string | undefined;
  /** Asked of keys that are bound to a certificate only. */
  readonly thumbprint?: Thumbprint | undefined;
}

/** Throws UNAUTHENTICATED. */
export type Authenticate = (authorization: string | undefined, shown?: Shown) => Promise<Principal>;

/**
 * Takes `Bearer <key>`, and `Basic` with the key as the password, which is what Git and curl send for a user in a URL;
 * where there is an authorization server also `Bearer <token>`, for what the token is for.
 * `localKey` is that of the commands of whoever can read the data folder.
 */
export function createAuthenticate(
  ring: Pick<KeyRing, 'check'>,
  localKey: string,
  tokens?: TokenCheck,
): Authenticate {
  const localHash = hashOf(localKey);
  return async (authorization, { target, thumbprint } = {}) => {
    const key = keyIn(authorization);
    if (key === undefined)
      throw new AppError('UNAUTHENTICATED', { problem: 'send it as Authorization: Bearer <key>' });
    if (tokens && isTokenLike(key)) return await tokens.check(key, target ?? '');
    // Most keys are of the ring, and have its form; the local one has not.
    const isLocal = idOf(key) === undefined && isSameHash(hashOf(key), localHash);
    return isLocal ? localOwner : await ring.check(key, thumbprint);
  };
}

function keyIn(authorization: string | undefined): string | undefined {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+) *$/.exec(authorization ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return value;
    case 'basic':
      return Buffer.from(value, 'base64').toString('utf8').split(/:(.*)/s)[1];
    default:
      return undefined;
  }
}
