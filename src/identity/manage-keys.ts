/** Makes, lists, ends and replaces the keys of a tenant. */

import { hash, X509Certificate } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Narrowing, Principal } from '../kernel/principal.ts';
import { isRoleName, roles } from '../kernel/roles.ts';
import type { ApiKeys, StoredKey } from '../store/api-keys.ts';
import { type KeyAttributes, principalOf, readAttributes, writeAttributes } from './key-attributes.ts';
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
  /** SHA-256 of the certificate that has to be shown with it, base64url. */
  readonly certificate: string | null;
  readonly groups?: readonly string[] | undefined;
  readonly narrowing?: Narrowing | undefined;
}

/** The one time that a key is seen whole. */
export interface NewKey {
  readonly id: string;
  readonly key: string;
}

export interface ManagedKeys {
  /** Throws INVALID_INPUT. */
  create(
    wish: KeyAttributes & {
      readonly name: string;
      readonly role: string;
      /** From now, milliseconds; never unless given. */
      readonly validMs?: number | undefined;
      /** PEM or DER: the key opens nothing but over a connection that showed it (RFC 8705). */
      readonly certificate?: Buffer | undefined;
    },
  ): Promise<NewKey>;
  list(): Promise<KeyItem[]>;
  /** Whose key it is, over or not. Throws NOT_FOUND. */
  principalOf(id: string): Promise<Principal>;
  /** Opens nothing from now on. Throws NOT_FOUND. */
  revoke(id: string): Promise<void>;
  /**
   * Another key with the same name, role, certificate and time to live; the former one opens for `overlapMs` more. Throws NOT_FOUND,
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

  async function add(
    name: string,
    role: string,
    kept: Pick<StoredKey, 'attributes' | 'certificate'>,
    validMs: number | undefined,
  ): Promise<NewKey> {
    const { id, key, hash } = makeKey();
    const expiresAt = validMs === undefined ? null : isoAfter(validMs);
    const times = { createdAt: isoAfter(0), expiresAt, revokedAt: null, lastUsedAt: null };
    await keys.add({ id, tenant, name, role, hash, ...kept, ...times });
    return { id, key };
  }

  return {
    async create({ name, role, validMs, certificate, ...attributes }) {
      const shown = name.trim();
      if (shown === '' || shown.length > maxNameLength || /\p{Cc}/u.test(shown))
        throw new AppError('INVALID_INPUT', {
          field: 'name',
          problem: `must be 1 to ${maxNameLength} characters on one line`,
        });
      const bound = certificate ? thumbprintIn(certificate) : null;
      const kept = { attributes: writeAttributes(attributes), certificate: bound };
      return await add(shown, roleOf(role), kept, validMs);
    },
    async list() {
      const rows = await keys.list(tenant);
      return rows.map((row) => {
        const { id, name, role, createdAt, expiresAt, lastUsedAt, certificate } = row;
        const attributes = readAttributes(row.attributes);
        return {
          id,
          name,
          role,
          state: stateOf(row),
          createdAt,
          expiresAt,
          lastUsedAt,
          certificate,
          ...attributes,
        };
      });
    },
    async principalOf(id) {
      const row = (await keys.list(tenant)).find((key) => key.id === id);
      const principal = row && principalOf(row);
      if (!principal) throw new AppError('NOT_FOUND', { what: 'key', id });
      return principal;
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
      const { name, role, attributes, createdAt, expiresAt, certificate } = former;
      const validMs = expiresAt === null ? undefined : Date.parse(expiresAt) - Date.parse(createdAt);
      const made = await add(name, roleOf(role), { attributes, certificate }, validMs);
      const endMs = Math.min(clock.now() + overlapMs, expiresAt === null ? Infinity : Date.parse(expiresAt));
      await keys.setEnd(tenant, id, { expiresAt: new Date(endMs).toISOString() });
      return made;
    },
  };
}

/** Throws INVALID_INPUT. */
function thumbprintIn(certificate: Buffer): string {
  try {
    return hash('sha256', new X509Certificate(certificate).raw, 'base64url');
  } catch {
    throw new AppError('INVALID_INPUT', {
      field: 'certificate',
      problem: 'holds no certificate; PEM or DER',
    });
  }
}

/** Throws INVALID_INPUT. */
export function roleOf(role: string): string {
  if (isRoleName(role)) return role;
  const problem = `must be one of ${roles.join(', ')}, or a role of the policy`;
  throw new AppError('INVALID_INPUT', { field: 'role', problem });
}
