/** Table `api_keys`: who may come in with which key. */

import { type Kysely, sql } from 'kysely';
import type { Tables } from './tables.ts';

/** A key as it is kept; times are ISO 8601. */
export interface StoredKey {
  readonly id: string;
  readonly tenant: string;
  /** For people. */
  readonly name: string;
  readonly role: string;
  /** SHA-256 of the whole key, hexadecimal. */
  readonly hash: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
  /** SHA-256 of the certificate that has to be shown with it, base64url. */
  readonly certificate: string | null;
  /** Groups and narrowing as JSON; null where the key has neither. */
  readonly attributes: string | null;
}

export interface ApiKeys {
  /** Of one tenant, oldest first. */
  list(tenant: string): Promise<StoredKey[]>;
  /** Of all tenants: the one look that knows no tenant yet, as a key is what tells it. */
  everyone(): Promise<StoredKey[]>;
  add(key: StoredKey): Promise<void>;
  /** Changes when a key ends; false when the tenant has no such key. */
  setEnd(
    tenant: string,
    id: string,
    end: { readonly expiresAt: string } | { readonly revokedAt: string },
  ): Promise<boolean>;
  /** When keys were last used, by id. */
  touch(tenant: string, times: ReadonlyMap<string, string>): Promise<void>;
  /** Another number once another process has changed anything in the store. */
  version(): Promise<number>;
}

export function createApiKeys(db: Kysely<Tables>): ApiKeys {
  const select = () =>
    db
      .selectFrom('api_keys')
      .select([
        'id',
        'tenant',
        'name',
        'role',
        'hash',
        'attributes',
        'created_at as createdAt',
        'expires_at as expiresAt',
        'revoked_at as revokedAt',
        'last_used_at as lastUsedAt',
        'certificate',
      ])
      .orderBy('created_at')
      .orderBy('id');
  return {
    list: (tenant) => select().where('tenant', '=', tenant).execute(),
    everyone: () => select().execute(),
    async add(key) {
      const { createdAt, expiresAt, revokedAt, lastUsedAt, ...rest } = key;
      const times = { created_at: createdAt, expires_at: expiresAt };
      await db
        .insertInto('api_keys')
        .values({ ...rest, ...times, revoked_at: revokedAt, last_used_at: lastUsedAt })
        .execute();
    },
    async setEnd(tenant, id, end) {
      const change = 'expiresAt' in end ? { expires_at: end.expiresAt } : { revoked_at: end.revokedAt };
      const { numUpdatedRows } = await db
        .updateTable('api_keys')
        .set(change)
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async touch(tenant, times) {
      await db.transaction().execute(async (transaction) => {
        for (const [id, at] of times)
          await transaction
            .updateTable('api_keys')
            .set({ last_used_at: at })
            .where('tenant', '=', tenant)
            .where('id', '=', id)
            .execute();
      });
    },
    async version() {
      const { rows } = await sql<{ data_version: number }>`PRAGMA data_version`.execute(db);
      return rows[0]?.data_version ?? 0;
    },
  };
}
