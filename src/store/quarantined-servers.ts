/** Table `quarantined_servers`: which servers operators keep out of traffic, and why. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface QuarantineRows {
  /** Reasons by id. */
  all(): Promise<ReadonlyMap<string, string>>;
  put(server: string, reason: string): Promise<void>;
  remove(server: string): Promise<void>;
}

export function createQuarantineRows(db: Kysely<Tables>): QuarantineRows {
  return {
    async all() {
      const rows = await db.selectFrom('quarantined_servers').select(['server', 'reason']).execute();
      return new Map(rows.map(({ server, reason }) => [server, reason]));
    },
    async put(server, reason) {
      const row = { reason, at: new Date().toISOString() };
      await db
        .insertInto('quarantined_servers')
        .values({ server, ...row })
        .onConflict((conflict) => conflict.column('server').doUpdateSet(row))
        .execute();
    },
    async remove(server) {
      await db.deleteFrom('quarantined_servers').where('server', '=', server).execute();
    },
  };
}
