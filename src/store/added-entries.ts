/** What was added over the API, by name, with its entry as given (secrets as references): one table a kind. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface AddedEntries {
  /** By name. */
  all(): Promise<{ name: string; entry: Record<string, unknown> }[]>;
  put(name: string, entry: Record<string, unknown>): Promise<void>;
  remove(name: string): Promise<void>;
}

/** The entries of one table. */
export function createAddedEntries(
  db: Kysely<Tables>,
  table: 'added_servers' | 'added_remotes',
): AddedEntries {
  return {
    async all() {
      const rows = await db.selectFrom(table).select(['name', 'entry']).orderBy('name').execute();
      return rows.map(({ name, entry }) => ({ name, entry: JSON.parse(entry) as Record<string, unknown> }));
    },
    async put(name, entry) {
      const row = { entry: JSON.stringify(entry), added_at: new Date().toISOString() };
      await db
        .insertInto(table)
        .values({ name, ...row })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
        .execute();
    },
    async remove(name) {
      await db.deleteFrom(table).where('name', '=', name).execute();
    },
  };
}
