/** Tables that only keep their newest rows. */

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/** Deletes all rows of a tenant but the newest so many. */
export async function trimLog(
  tables: Kysely<Tables>,
  table: 'server_changes' | 'deployment_reports',
  tenant: string,
  kept: number,
): Promise<void> {
  await tables
    .deleteFrom(table)
    .where('tenant', '=', tenant)
    .where('seq', '<=', (query) =>
      query
        .selectFrom(table)
        .select('seq')
        .where('tenant', '=', tenant)
        .orderBy('seq', 'desc')
        .limit(1)
        .offset(kept),
    )
    .execute();
}
