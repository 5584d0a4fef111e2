/** Keys as text: `gmm_<id>_<secret>`. The id may be shown and logged; the secret is known to its bearer only. */

import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const pattern = /^gmm_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;

export interface MadeKey {
  readonly id: string;
  /** The whole key; it cannot be made again. */
  readonly key: string;
  /** SHA-256, hexadecimal. A key has 256 random bits, so that a slow hash would protect nothing more. */
  readonly hash: string;
}

/** A key that nobody has had. */
export function makeKey(): MadeKey {
  const id = randomBytes(6).toString('hex');
  const key = `gmm_${id}_${randomBytes(32).toString('base64url')}`;
  return { id, key, hash: hashOf(key) };
}

export function hashOf(key: string): string {
  return hash('sha256', key, 'hex');
}

/** The id in a key; undefined for what is none. */
export function idOf(key: string): string | undefined {
  return pattern.exec(key)?.[1];
}

/** Takes the same time wherever the difference is. */
export function isSameHash(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
