/** Table `approvals`: what was approved of each pinned server. */

import type { TenantDb } from './tenant-db.ts';

export interface Approvals {
  /** The stored JSON values by server. */
  all(tenant: string): Promise<ReadonlyMap<string, unknown>>;
  put(tenant: string, server: string, approval: unknown): Promise<void>;
}

export function createApprovals(db: TenantDb): Approvals {
  return {
    async all(tenant) {
      const rows = await db.read(tenant, (tables) =>
        tables.selectFrom('approvals').select(['server', 'approval']).where('tenant', '=', tenant).execute(),
      );
      return new Map(rows.map(({ server, approval }) => [server, JSON.parse(approval) as unknown]));
    },
    async put(tenant, server, approval) {
      const row = { approval: JSON.stringify(approval), updated_at: new Date().toISOString() };
      await db.write(tenant, (tables) =>
        tables
          .insertInto('approvals')
          .values({ tenant, server, ...row })
          .onConflict((conflict) => conflict.columns(['tenant', 'server']).doUpdateSet(row))
          .execute(),
      );
    },
  };
}
