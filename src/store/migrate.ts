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
import { monthlyUsesTable } from './migrations/0010-monthly-uses.ts';
import { keyCertificates } from './migrations/0011-key-certificates.ts';
import { keyAttributes } from './migrations/0012-key-attributes.ts';
import { peopleTables } from './migrations/0013-people.ts';
import { oauthRecordsTable } from './migrations/0014-oauth-records.ts';
import { tenants } from './migrations/0015-tenants.ts';
import { secretTables } from './migrations/0016-secrets.ts';

/** By name, in their order. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-first-tables': firstTables,
  '0002-added-remotes': addedRemotes,
  '0003-bundles-and-approvals': bundlesAndApprovals,
  '0004-server-changes': serverChangesTable,
  '0006-scale-bounds': scaleBoundsTable,
  '0007-fleet': fleetTables,
  '0008-api-keys': apiKeysTable,
  '0010-monthly-uses': monthlyUsesTable,
  '0011-key-certificates': keyCertificates,
  '0012-key-attributes': keyAttributes,
  '0013-people': peopleTables,
  '0014-oauth-records': oauthRecordsTable,
  '0015-tenants': tenants,
  '0016-secrets': secretTables,
};

/** Throws what the database throws. */
export async function migrateToLatest<T>(db: Kysely<T>, wanted = migrations): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...wanted }) } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
