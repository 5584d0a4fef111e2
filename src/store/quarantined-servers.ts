/** Table `quarantined_servers`: which servers operators keep out of traffic, and why. */

import type { TenantDb } from './tenant-db.ts';

export interface QuarantineRows {
  /** Reasons by id. */
  all(tenant: string): Promise<ReadonlyMap<string, string>>;
  put(tenant: string, server: string, reason: string): Promise<void>;
  remove(tenant: string, server: string): Promise<void>;
}

export function createQuarantineRows(db: TenantDb): QuarantineRows {
  return {
    async all(tenant) {
      const rows = await db.read(tenant, (tables) =>
        tables
          .selectFrom('quarantined_servers')
          .select(['server', 'reason'])
          .where('tenant', '=', tenant)
          .execute(),
      );
      return new Map(rows.map(({ server, reason }) => [server, reason]));
    },
    async put(tenant, server, reason) {
      const row = { reason, at: new Date().toISOString() };
      await db.write(tenant, (tables) =>
        tables
          .insertInto('quarantined_servers')
          .values({ tenant, server, ...row })
          .onConflict((conflict) => conflict.columns(['tenant', 'server']).doUpdateSet(row))
          .execute(),
      );
    },
    async remove(tenant, server) {
      await db.write(tenant, (tables) =>
        tables
          .deleteFrom('quarantined_servers')
          .where('tenant', '=', tenant)
          .where('server', '=', server)
          .execute(),
      );
    },
  };
}
