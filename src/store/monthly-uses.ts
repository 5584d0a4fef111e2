/** Table `monthly_uses`: what was counted against monthly limits, by bucket and month (`2026-11`). */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export interface MonthlyUses {
  /** Of one tenant in one month, by bucket; the tenant is empty for what is counted over all of them. */
  list(tenant: string, month: string): Promise<ReadonlyMap<string, number>>;
  /** Of all tenants: what a coordinator goes on from when it starts. */
  everyone(month: string): Promise<ReadonlyMap<string, number>>;
  /** Adds to what is there. */
  add(tenant: string, month: string, counts: ReadonlyMap<string, number>): Promise<void>;
  /** Forgets what is older. */
  dropBefore(month: string): Promise<void>;
}

export function createMonthlyUses(db: Kysely<Tables>): MonthlyUses {
  const select = (month: string) =>
    db.selectFrom('monthly_uses').select(['bucket', 'used']).where('month', '=', month);
  const toMap = (rows: readonly { readonly bucket: string; readonly used: number }[]) =>
    new Map(rows.map(({ bucket, used }) => [bucket, used]));
  return {
    list: async (tenant, month) => toMap(await select(month).where('tenant', '=', tenant).execute()),
    everyone: async (month) => toMap(await select(month).execute()),
    async add(tenant, month, counts) {
      const updated_at = new Date().toISOString();
      for (const [bucket, used] of counts)
        await db
          .insertInto('monthly_uses')
          .values({ tenant, bucket, month, used, updated_at })
          .onConflict((conflict) =>
            conflict.columns(['tenant', 'bucket', 'month']).doUpdateSet((row) => ({
              used: row('monthly_uses.used', '+', used),
              updated_at,
            })),
          )
          .execute();
    },
    async dropBefore(month) {
      await db.deleteFrom('monthly_uses').where('month', '<', month).execute();
    },
  };
}
