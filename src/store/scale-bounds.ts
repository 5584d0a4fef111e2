/** Table `scale_bounds`: bounds of replicas that were set by hand, by server. */

import type { ScaleBounds } from '../kernel/pool-options.ts';
import type { TenantDb } from './tenant-db.ts';
import type { OfTenant } from './tenant-store.ts';

export interface ScaleBoundsRows {
  all(tenant: string): Promise<ReadonlyMap<string, ScaleBounds>>;
  put(tenant: string, server: string, bounds: ScaleBounds): Promise<void>;
  remove(tenant: string, server: string): Promise<void>;
}

export function createScaleBoundsRows(db: TenantDb): ScaleBoundsRows {
  return {
    async all(tenant) {
      const rows = await db.read(tenant, (tables) =>
        tables
          .selectFrom('scale_bounds')
          .select(['server', 'least', 'most'])
          .where('tenant', '=', tenant)
          .execute(),
      );
      return new Map(rows.map(({ server, least, most }) => [server, { min: least, max: most }]));
    },
    async put(tenant, server, bounds) {
      const row = { least: bounds.min, most: bounds.max, set_at: new Date().toISOString() };
      await db.write(tenant, (tables) =>
        tables
          .insertInto('scale_bounds')
          .values({ tenant, server, ...row })
          .onConflict((conflict) => conflict.columns(['tenant', 'server']).doUpdateSet(row))
          .execute(),
      );
    },
    async remove(tenant, server) {
      await db.write(tenant, (tables) =>
        tables.deleteFrom('scale_bounds').where('tenant', '=', tenant).where('server', '=', server).execute(),
      );
    },
  };
}

/** Those of one tenant: read once, then kept in step, as scaling asks for them all the time. */
export interface KeptScaleBounds extends Omit<OfTenant<ScaleBoundsRows>, 'all'> {
  get(server: string): ScaleBounds | undefined;
}

export async function keepScaleBounds(rows: OfTenant<ScaleBoundsRows>): Promise<KeptScaleBounds> {
  const kept = new Map(await rows.all());
  return {
    get: (server) => kept.get(server),
    async put(server, bounds) {
      await rows.put(server, bounds);
      kept.set(server, bounds);
    },
    async remove(server) {
      await rows.remove(server);
      kept.delete(server);
    },
  };
}
