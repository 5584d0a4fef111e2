/** Brings the tables up to date: all that is missing in one transaction, or nothing. */

import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { firstTables } from './migrations/0001-first-tables.ts';
import { addedRemotes } from './migrations/0002-added-remotes.ts';
import { bundlesAndApprovals } from './migrations/0003-bundles-and-approvals.ts';
import { serverChangesTable } from './migrations/0004-server-changes.ts';
import { scaleBoundsTable } from './migrations/0006-scale-bounds.ts';
import { fleetTables } from './migrations/0007-fleet.ts';
import { apiKeysTable } from './migrations/0008-api-keys.ts';
import { tenants } from './migrations/0015-tenants.ts';

/** By name, in their order. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-first-tables': firstTables,
  '0002-added-remotes': addedRemotes,
  '0003-bundles-and-approvals': bundlesAndApprovals,
  '0004-server-changes': serverChangesTable,
  '0006-scale-bounds': scaleBoundsTable,
  '0007-fleet': fleetTables,
  '0008-api-keys': apiKeysTable,
  '0015-tenants': tenants,
};

/** Throws what the database throws. */
export async function migrateToLatest<T>(db: Kysely<T>, wanted = migrations): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...wanted }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
