/** Table `bundles`: bundles of tools added over the API. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface AddedBundles {
  /** The stored JSON values by name. */
  all(): Promise<Record<string, unknown>>;
  put(name: string, settings: unknown): Promise<void>;
  remove(name: string): Promise<void>;
}

export function createAddedBundles(db: Kysely<Tables>): AddedBundles {
  return {
    async all() {
      const rows = await db.selectFrom('bundles').select(['name', 'settings']).orderBy('name').execute();
      return Object.fromEntries(rows.map(({ name, settings }) => [name, JSON.parse(settings) as unknown]));
    },
    async put(name, settings) {
      const row = { settings: JSON.stringify(settings), added_at: new Date().toISOString() };
      await db
        .insertInto('bundles')
        .values({ name, ...row })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
        .execute();
    },
    async remove(name) {
      await db.deleteFrom('bundles').where('name', '=', name).execute();
    },
  };
}
