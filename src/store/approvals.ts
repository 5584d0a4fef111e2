/** Table `approvals`: what was approved of each pinned server. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface Approvals {
  /** The stored JSON values by server. */
  all(): Promise<ReadonlyMap<string, unknown>>;
  put(server: string, approval: unknown): Promise<void>;
}

export function createApprovals(db: Kysely<Tables>): Approvals {
  return {
    async all() {
      const rows = await db.selectFrom('approvals').select(['server', 'approval']).execute();
      return new Map(rows.map(({ server, approval }) => [server, JSON.parse(approval) as unknown]));
    },
    async put(server, approval) {
      const row = { approval: JSON.stringify(approval), updated_at: new Date().toISOString() };
      await db
        .insertInto('approvals')
        .values({ server, ...row })
        .onConflict((conflict) => conflict.column('server').doUpdateSet(row))
        .execute();
    },
  };
}
