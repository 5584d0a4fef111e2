/** What was added over the API, by name, with its entry as given (secrets as references): one table a kind. */

import type { TenantDb } from './tenant-db.ts';

export interface AddedEntries {
  /** By name. */
  all(tenant: string): Promise<{ name: string; entry: Record<string, unknown> }[]>;
  put(tenant: string, name: string, entry: Record<string, unknown>): Promise<void>;
  remove(tenant: string, name: string): Promise<void>;
}

/** The entries of one table. */
export function createAddedEntries(db: TenantDb, table: 'added_servers' | 'added_remotes'): AddedEntries {
  return {
    async all(tenant) {
      const rows = await db.read(tenant, (tables) =>
        tables
          .selectFrom(table)
          .select(['name', 'entry'])
          .where('tenant', '=', tenant)
          .orderBy('name')
          .execute(),
      );
      return rows.map(({ name, entry }) => ({ name, entry: JSON.parse(entry) as Record<string, unknown> }));
    },
    async put(tenant, name, entry) {
      const row = { entry: JSON.stringify(entry), added_at: new Date().toISOString() };
      await db.write(tenant, (tables) =>
        tables
          .insertInto(table)
          .values({ tenant, name, ...row })
          .onConflict((conflict) => conflict.columns(['tenant', 'name']).doUpdateSet(row))
          .execute(),
      );
    },
    async remove(tenant, name) {
      await db.write(tenant, (tables) =>
        tables.deleteFrom(table).where('tenant', '=', tenant).where('name', '=', name).execute(),
      );
    },
  };
}
