/** Shows a config without what must stay secret: literal values of `env` and `headers`, and what looks like a credential. */

import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import { type Reference, referenceShape } from './reference.ts';

const hidden = '(hidden)';

/** Names whose values are credentials more often than not. */
const secretName = /key|token|secret|passw|pwd|credential|auth|cookie|session|signature/i;

/** True when a value under this name is better not shown. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** Only text that is nothing but references is safe to show. */
function isOnlyReference(text: string): boolean {
  return /^(\$\{[^}:]*\}|\$\{(env|input):[^}:]*\}|\s)*$/.test(text) && text.includes('${');
}

/** How a value is shown: `(from env NAME)`, `(from file path)` and the like, its own reference, or `(hidden)`. */
export function maskValue(value: unknown): string {
  const reference = referenceShape.safeParse(value);
  if (reference.success) return `(from ${placeOf(reference.data)})`;
  return typeof value === 'string' && isOnlyReference(value) ? value : hidden;
}

function placeOf(reference: Reference): string {
  if ('env' in reference) return `env ${reference.env}`;
  if ('file' in reference) return `file ${reference.file}`;
  if ('secret' in reference) return `secret ${reference.secret}`;
  return `vault ${reference.vault.path} ${reference.vault.field}`;
}

/** `--token=x`, `--token x` and `TOKEN=x` lose their value. */
function maskArgs(args: readonly unknown[]): unknown[] {
  return args.map((arg, index) => {
    const before = args[index - 1];
    if (typeof before === 'string' && /^--?[\w-]+$/.test(before) && isSecretName(before))
      return maskValue(arg);
    const pair = typeof arg === 'string' ? /^((?:--?)?[\w.-]+)=(.*)$/s.exec(arg) : null;
    if (pair && isSecretName(pair[1]!)) return `${pair[1]}=${maskValue(pair[2])}`;
    return typeof arg === 'string' ? maskUrl(arg) : arg;
  });
}

/** User, password and secret query values of a URL are hidden; other text stays as it is. */
export function maskUrl(text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? URL.parse(text) : null;
  if (!url) return text;
  const hasSecret =
    url.username !== '' || url.password !== '' || [...url.searchParams.keys()].some(isSecretName);
  if (!hasSecret) return text;
  url.username = '';
  url.password = '';
  for (const name of url.searchParams.keys()) if (isSecretName(name)) url.searchParams.set(name, 'hidden');
  return url.href;
}

function maskMap(values: unknown): unknown {
  if (!isJsonObject(values)) return values;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, maskValue(value)]));
}

/** Any value with the secrets of its named fields hidden. */
function maskSettings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSettings);
  if (typeof value === 'string') return maskUrl(value);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isSecretName(name) && (typeof inner === 'string' || isJsonObject(inner))
        ? maskValue(inner)
        : maskSettings(inner),
    ]),
  );
}

/** A server entry fit for showing. */
export function maskEntry(entry: unknown): unknown {
  if (!isJsonObject(entry)) return entry;
  const masked: JsonObject = { ...entry };
  for (const key of ['env', 'headers']) if (key in masked) masked[key] = maskMap(masked[key]);
  if (Array.isArray(masked['args'])) masked['args'] = maskArgs(masked['args']);
  if (typeof masked['url'] === 'string') masked['url'] = maskUrl(masked['url']);
  if ('settings' in masked) masked['settings'] = maskSettings(masked['settings']);
  return masked;
}
