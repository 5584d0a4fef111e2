/** What a key says of its bearer beside the role: groups, and what it holds back. */

import { AppError } from '../kernel/errors.ts';
import { isJsonObject } from '../kernel/json-rpc.ts';
import type { Narrowing, Principal } from '../kernel/principal.ts';
import type { StoredKey } from '../store/api-keys.ts';

export interface KeyAttributes {
  readonly groups?: readonly string[] | undefined;
  readonly narrowing?: Narrowing | undefined;
}

const maxEntries = 100;
const maxEntryLength = 200;
const narrowable = ['servers', 'tools', 'scopes'] as const;

/** As it is kept; null where there is nothing. Throws INVALID_INPUT. */
export function writeAttributes({ groups, narrowing }: KeyAttributes): string | null {
  check('groups', groups, false);
  for (const field of narrowable) check(field, narrowing?.[field], true);
  const narrows = narrowing && narrowable.some((field) => narrowing[field] !== undefined);
  if (groups === undefined && narrows !== true) return null;
  return JSON.stringify({ groups, ...(narrows === true && { narrowing }) });
}

function check(field: string, entries: readonly string[] | undefined, isPattern: boolean): void {
  if (!entries) return;
  const isGood = (entry: string) =>
    entry !== '' &&
    entry.length <= maxEntryLength &&
    !/\p{Cc}/u.test(entry) &&
    (!isPattern || !entry.slice(0, -1).includes('*'));
  if (entries.length > 0 && entries.length <= maxEntries && entries.every(isGood)) return;
  const problem = isPattern
    ? `must be 1 to ${maxEntries} names, with * at their ends only`
    : `must be 1 to ${maxEntries} names`;
  throw new AppError('INVALID_INPUT', { field, problem });
}

/** Undefined for what cannot be read: such a key opens nothing, as nobody knows what it holds back. */
export function readAttributes(text: string | null): KeyAttributes | undefined {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) return undefined;
    const { groups, narrowing } = value;
    if (groups !== undefined && !isNames(groups)) return undefined;
    if (narrowing === undefined) return { ...(groups !== undefined && { groups }) };
    if (!isJsonObject(narrowing)) return undefined;
    const fields = Object.entries(narrowing);
    if (!fields.every(([name, names]) => (narrowable as readonly string[]).includes(name) && isNames(names)))
      return undefined;
    return { ...(groups !== undefined && { groups }), narrowing };
  } catch {
    return undefined;
  }
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

/** Whose key it is; undefined for one that cannot be read. */
export function principalOf({ id, tenant, role, attributes }: StoredKey): Principal | undefined {
  const read = readAttributes(attributes);
  return read && { id: `key:${id}`, tenant, role, ...read };
}
