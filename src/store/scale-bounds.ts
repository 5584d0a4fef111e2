/** Table `scale_bounds`: bounds of replicas that were set by hand, by server. Read once, then kept in step. */

import type { Kysely } from 'kysely';
import type { ScaleBounds } from '../kernel/pool-options.ts';
import type { Tables } from './tables.ts';

export interface KeptScaleBounds {
  get(server: string): ScaleBounds | undefined;
  put(server: string, bounds: ScaleBounds): Promise<void>;
  remove(server: string): Promise<void>;
}

export async function openScaleBounds(db: Kysely<Tables>): Promise<KeptScaleBounds> {
  const rows = await db.selectFrom('scale_bounds').select(['server', 'least', 'most']).execute();
  const kept = new Map<string, ScaleBounds>(
    rows.map(({ server, least, most }) => [server, { min: least, max: most }]),
  );
  return {
    get: (server) => kept.get(server),
    async put(server, bounds) {
      const row = { least: bounds.min, most: bounds.max, set_at: new Date().toISOString() };
      await db
        .insertInto('scale_bounds')
        .values({ server, ...row })
        .onConflict((conflict) => conflict.column('server').doUpdateSet(row))
        .execute();
      kept.set(server, bounds);
    },
    async remove(server) {
      await db.deleteFrom('scale_bounds').where('server', '=', server).execute();
      kept.delete(server);
    },
  };
}
