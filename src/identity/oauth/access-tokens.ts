/** Access tokens (RFC 9068): checked once by their signature, then remembered, so that most checks cost a hash. */

import { hash } from 'node:crypto';
import { type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Principal } from '../../kernel/principal.ts';

/** What a token says, once it is believed. */
export interface CheckedToken {
  /** Resources that it is for (RFC 8707): URLs. Undefined: the whole gateway. */
  readonly audiences: readonly string[] | undefined;
  readonly expiresAtMs: number;
  /** Asked on each request; undefined once a person or their leave is gone. */
  principal(): Principal | undefined;
}

export interface TokenCheck {
  /** Whose token it is; `target` is the URL that is asked for, without its query. Throws UNAUTHENTICATED. */
  check(token: string, target: string): Promise<Principal>;
}

/** True for what is no key of ours and has the form of a token. */
export function isTokenLike(text: string): boolean {
  return text.startsWith('ey') && text.length < 16_384 && text.split('.').length === 3;
}

const maxRemembered = 10_000;

/** True for a URL and all below it. */
export function covers(audience: string, target: string): boolean {
  if (!target.startsWith(audience)) return false;
  return target.length === audience.length || audience.endsWith('/') || target[audience.length] === '/';
}

/** `verify` believes a token or throws. */
export function createTokenCheck(
  verify: (token: string) => Promise<CheckedToken | undefined>,
  clock: Clock,
): TokenCheck {
  const known = new Map<string, CheckedToken>();

  async function remembered(token: string): Promise<CheckedToken> {
    const key = hash('sha256', token, 'base64');
    const found = known.get(key);
    if (found) return found;
    const checked = await verify(token).catch(() => undefined);
    if (!checked) throw refused();
    if (known.size >= maxRemembered) known.delete(known.keys().next().value!);
    known.set(key, checked);
    return checked;
  }

  return {
    async check(token, target) {
      const checked = await remembered(token);
      const principal = checked.expiresAtMs > clock.now() ? checked.principal() : undefined;
      const isMeant = checked.audiences?.some((one) => covers(one, target)) ?? true;
      if (!principal || !isMeant) throw refused();
      return principal;
    },
  };
}

function refused(): AppError {
  return new AppError('UNAUTHENTICATED', { problem: 'this one is unknown, has expired or was revoked' });
}

/** Signature, issuer, type and times, as RFC 9068 (4) wants them; the audience is the caller's. Throws JOSEError. */
export async function verifyJwt(
  token: string,
  key: JWTVerifyGetKey,
  expected: {
    readonly issuer: string;
    readonly algorithms: readonly string[];
    readonly type?: string;
    readonly clock: Clock;
  },
): Promise<JWTPayload & { readonly exp: number; readonly audiences: readonly string[] }> {
  const { payload } = await jwtVerify(token, key, {
    issuer: expected.issuer,
    algorithms: [...expected.algorithms],
    requiredClaims: ['exp', 'sub', 'aud'],
    currentDate: new Date(expected.clock.now()),
    clockTolerance: 5,
    ...(expected.type !== undefined && { typ: expected.type }),
  });
  const { aud = [], exp = 0 } = payload;
  return { ...payload, exp, audiences: typeof aud === 'string' ? [aud] : aud };
}
