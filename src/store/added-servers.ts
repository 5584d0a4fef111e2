/** Table `added_servers`: servers added over the API, with their entries as given (secrets as references). */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface AddedServers {
  all(): Promise<{ name: string; entry: Record<string, unknown> }[]>;
  put(name: string, entry: Record<string, unknown>): Promise<void>;
  remove(name: string): Promise<void>;
}

export function createAddedServers(db: Kysely<Tables>): AddedServers {
  return {
    async all() {
      const rows = await db.selectFrom('added_servers').select(['name', 'entry']).orderBy('name').execute();
      return rows.map(({ name, entry }) => ({ name, entry: JSON.parse(entry) as Record<string, unknown> }));
    },
    async put(name, entry) {
      const row = { entry: JSON.stringify(entry), added_at: new Date().toISOString() };
      await db
        .insertInto('added_servers')
        .values({ name, ...row })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
        .execute();
    },
    async remove(name) {
      await db.deleteFrom('added_servers').where('name', '=', name).execute();
    },
  };
}
