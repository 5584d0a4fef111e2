/** Tokens that are shown once and kept as hashes: of one-time links, and of browsers that are signed in. */

import { randomBytes } from 'node:crypto';
import { hashOf } from '../key-text.ts';

const pattern = /^[A-Za-z0-9_-]{43}$/;

/** 256 random bits; a plain SHA-256 is enough for what cannot be guessed. */
export function makeToken(): { readonly token: string; readonly hash: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashOf(token) };
}

/** The hash of a token; undefined for what has not its form. */
export function tokenHash(token: string): string | undefined {
  return pattern.test(token) ? hashOf(token) : undefined;
}

/** The path of a one-time link. */
export function linkPath(token: string, isFirst = false): string {
  return `/login/${isFirst ? 'first' : 'link'}?token=${token}`;
}
