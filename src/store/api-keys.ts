/** Table `api_keys`: who may come in with which key. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';
import type { TenantDb } from './tenant-db.ts';

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
  /** Another number once a key of anybody was made or ended, by whatever process. */
  version(): Promise<number>;
}

function select(tables: Kysely<Tables>) {
  return tables
    .selectFrom('api_keys')
    .select([
      'id',
      'tenant',
      'name',
      'role',
      'hash',
      'attributes',
      'certificate',
      'created_at as createdAt',
      'expires_at as expiresAt',
      'revoked_at as revokedAt',
      'last_used_at as lastUsedAt',
    ])
    .orderBy('created_at')
    .orderBy('id');
}

/** In the transaction of the change: whoever sees the one sees the other. */
async function noteChange(tables: Kysely<Tables>, tenant: string): Promise<void> {
  await tables
    .insertInto('key_changes')
    .values({ tenant, version: 1 })
    .onConflict((conflict) =>
      conflict.column('tenant').doUpdateSet((row) => ({ version: row('key_changes.version', '+', 1) })),
    )
    .execute();
}

export function createApiKeys(db: TenantDb): ApiKeys {
  return {
    list: (tenant) => db.read(tenant, (tables) => select(tables).where('tenant', '=', tenant).execute()),
    everyone: () => db.readAcross(['api_keys'], (tables) => select(tables).execute()),
    async add(key) {
      const { createdAt, expiresAt, revokedAt, lastUsedAt, ...rest } = key;
      const times = { created_at: createdAt, expires_at: expiresAt };
      await db.write(key.tenant, async (tables) => {
        await tables
          .insertInto('api_keys')
          .values({ ...rest, ...times, revoked_at: revokedAt, last_used_at: lastUsedAt })
          .execute();
        await noteChange(tables, key.tenant);
      });
    },
    async setEnd(tenant, id, end) {
      const change = 'expiresAt' in end ? { expires_at: end.expiresAt } : { revoked_at: end.revokedAt };
      return await db.write(tenant, async (tables) => {
        const { numUpdatedRows } = await tables
          .updateTable('api_keys')
          .set(change)
          .where('tenant', '=', tenant)
          .where('id', '=', id)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        await noteChange(tables, tenant);
        return true;
      });
    },
    async touch(tenant, times) {
      await db.write(tenant, async (tables) => {
        for (const [id, at] of times)
          await tables
            .updateTable('api_keys')
            .set({ last_used_at: at })
            .where('tenant', '=', tenant)
            .where('id', '=', id)
            .execute();
      });
    },
    async version() {
      const row = await db.readAcross(['key_changes'], (tables) =>
        tables
          .selectFrom('key_changes')
          .select((query) => query.fn.sum<number | null>('version').as('version'))
          .executeTakeFirst(),
      );
      return row?.version ?? 0;
    },
  };
}
