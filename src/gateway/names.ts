/** Names and URIs in shared mounts: unique, short enough for every client, and reversible. */

import { hash } from 'node:crypto';

/** Longest tool name that every known client accepts. */
export const maxNameLength = 64;
const separator = '__';
const hashLength = 8;

/**
 * `alias__name` with only `[A-Za-z0-9_-]`, at most 64 characters. A name that had to be changed ends in
 * a hash of the original, so that it depends on nothing but itself. An empty alias adds no prefix.
 */
export function exposedName(alias: string, name: string): string {
  const full = alias === '' ? name : `${alias}${separator}${name}`;
  const clean = full.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  if (clean === full && full.length <= maxNameLength) return full;
  const mark = hash('sha256', `${alias}\0${name}`, 'hex').slice(0, hashLength);
  return `${clean.slice(0, maxNameLength - hashLength - 1)}_${mark}`;
}

const schemeStart = 'gm.';

/**
 * The URI scheme prefix of a server in shared mounts: `gm.<alias>+`. RFC 3986 schemes know no `_` and no
 * case, so `_` becomes `.` and aliases are compared in lower case.
 */
export function uriPrefix(alias: string): string {
  return `${schemeStart}${alias.toLowerCase().replaceAll('_', '.')}+`;
}

/** Splits `gm.<alias>+<uri>` into its prefix and the server's own URI; undefined for any other URI. */
export function splitUri(uri: string): { prefix: string; uri: string } | undefined {
  if (!uri.toLowerCase().startsWith(schemeStart)) return undefined;
  const end = uri.indexOf('+');
  if (end < 0) return undefined;
  return { prefix: uri.slice(0, end + 1).toLowerCase(), uri: uri.slice(end + 1) };
}
