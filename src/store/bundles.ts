/** Table `bundles`: bundles of tools added over the API. */

import type { TenantDb } from './tenant-db.ts';

export interface AddedBundles {
  /** The stored JSON values by name. */
  all(tenant: string): Promise<Record<string, unknown>>;
  put(tenant: string, name: string, settings: unknown): Promise<void>;
  remove(tenant: string, name: string): Promise<void>;
}

export function createAddedBundles(db: TenantDb): AddedBundles {
  return {
    async all(tenant) {
      const rows = await db.read(tenant, (tables) =>
        tables
          .selectFrom('bundles')
          .select(['name', 'settings'])
          .where('tenant', '=', tenant)
          .orderBy('name')
          .execute(),
      );
      return Object.fromEntries(rows.map(({ name, settings }) => [name, JSON.parse(settings) as unknown]));
    },
    async put(tenant, name, settings) {
      const row = { settings: JSON.stringify(settings), added_at: new Date().toISOString() };
      await db.write(tenant, (tables) =>
        tables
          .insertInto('bundles')
          .values({ tenant, name, ...row })
          .onConflict((conflict) => conflict.columns(['tenant', 'name']).doUpdateSet(row))
          .execute(),
      );
    },
    async remove(tenant, name) {
      await db.write(tenant, (tables) =>
        tables.deleteFrom('bundles').where('tenant', '=', tenant).where('name', '=', name).execute(),
      );
    },
  };
}
