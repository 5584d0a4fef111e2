/** Makes, lists, ends and replaces the keys of a tenant. */

import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { isRole, type Role, roles } from '../kernel/roles.ts';
import type { ApiKeys, StoredKey } from '../store/api-keys.ts';
import { makeKey } from './key-text.ts';

/** A key as it may be shown; times are ISO 8601. */
export interface KeyItem {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly state: 'valid' | 'expired' | 'revoked';
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

/** The one time that a key is seen whole. */
export interface NewKey {
  readonly id: string;
  readonly key: string;
}

export interface ManagedKeys {
  /** Throws INVALID_INPUT. */
  create(wish: {
    readonly name: string;
    readonly role: string;
    /** From now, milliseconds; never unless given. */
    readonly validMs?: number | undefined;
  }): Promise<NewKey>;
  list(): Promise<KeyItem[]>;
  /** Opens nothing from now on. Throws NOT_FOUND. */
  revoke(id: string): Promise<void>;
  /**
   * Another key with the same name, role and time to live; the former one opens for `overlapMs` more. Throws NOT_FOUND,
   * and INVALID_INPUT for one that is over.
   */
  rotate(id: string, overlapMs: number): Promise<NewKey>;
}

const maxNameLength = 100;

export function createManagedKeys(keys: ApiKeys, tenant: string, clock: Clock): ManagedKeys {
  const isoAfter = (ms: number) => new Date(clock.now() + ms).toISOString();

  function stateOf({ revokedAt, expiresAt }: StoredKey): KeyItem['state'] {
    if (revokedAt !== null) return 'revoked';
    return expiresAt !== null && Date.parse(expiresAt) <= clock.now() ? 'expired' : 'valid';
  }

  async function add(name: string, role: Role, validMs: number | undefined): Promise<NewKey> {
    const { id, key, hash } = makeKey();
    const expiresAt = validMs === undefined ? null : isoAfter(validMs);
    const times = { createdAt: isoAfter(0), expiresAt, revokedAt: null, lastUsedAt: null };
    await keys.add({ id, tenant, name, role, hash, ...times });
    return { id, key };
  }

  return {
    async create({ name, role, validMs }) {
      const shown = name.trim();
      if (shown === '' || shown.length > maxNameLength || /\p{Cc}/u.test(shown))
        throw new AppError('INVALID_INPUT', {
          field: 'name',
          problem: `must be 1 to ${maxNameLength} characters on one line`,
        });
      return await add(shown, roleOf(role), validMs);
    },
    async list() {
      const rows = await keys.list(tenant);
      return rows.map((row) => {
        const { id, name, role, createdAt, expiresAt, lastUsedAt } = row;
        return { id, name, role, state: stateOf(row), createdAt, expiresAt, lastUsedAt };
      });
    },
    async revoke(id) {
      if (!(await keys.setEnd(tenant, id, { revokedAt: isoAfter(0) })))
        throw new AppError('NOT_FOUND', { what: 'key', id });
    },
    async rotate(id, overlapMs) {
      const former = (await keys.list(tenant)).find((key) => key.id === id);
      if (!former) throw new AppError('NOT_FOUND', { what: 'key', id });
      const state = stateOf(former);
      if (state !== 'valid')
        throw new AppError('INVALID_INPUT', {
          field: 'id',
          problem: `is of a key that is ${state}; create another`,
        });
      const { name, role, createdAt, expiresAt } = former;
      const validMs = expiresAt === null ? undefined : Date.parse(expiresAt) - Date.parse(createdAt);
      const made = await add(name, roleOf(role), validMs);
      const endMs = Math.min(clock.now() + overlapMs, expiresAt === null ? Infinity : Date.parse(expiresAt));
      await keys.setEnd(tenant, id, { expiresAt: new Date(endMs).toISOString() });
      return made;
    },
  };
}

/** Throws INVALID_INPUT. */
export function roleOf(role: string): Role {
  if (isRole(role)) return role;
  throw new AppError('INVALID_INPUT', { field: 'role', problem: `must be one of ${roles.join(', ')}` });
}
