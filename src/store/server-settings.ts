/** Table `server_settings`: what an operator changed of servers while a coordinator ran, as JSON by id. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface ServerSettingsRows {
  all(): Promise<ReadonlyMap<string, unknown>>;
  /** All or none; a server without settings is deleted. */
  put(settings: ReadonlyMap<string, object | undefined>): Promise<void>;
}

export function createServerSettingsRows(db: Kysely<Tables>): ServerSettingsRows {
  return {
    async all() {
      const rows = await db.selectFrom('server_settings').select(['server', 'settings']).execute();
      return new Map(rows.map(({ server, settings }) => [server, JSON.parse(settings) as unknown]));
    },
    put: (settings) =>
      db.transaction().execute(async (transaction) => {
        for (const [server, value] of settings) {
          await transaction.deleteFrom('server_settings').where('server', '=', server).execute();
          if (value === undefined) continue;
          const row = { settings: JSON.stringify(value), updated_at: new Date().toISOString() };
          await transaction
            .insertInto('server_settings')
            .values({ server, ...row })
            .execute();
        }
      }),
  };
}
