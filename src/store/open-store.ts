/** The embedded state: opened, migrated, and handed out as one small repository a table. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { AppError, messageOf } from '../kernel/errors.ts';
import { type AddedEntries, createAddedEntries } from './added-entries.ts';
import { type ApiKeys, createApiKeys } from './api-keys.ts';
import { type Approvals, createApprovals } from './approvals.ts';
import { type AddedBundles, createAddedBundles } from './bundles.ts';
import { createDeploymentRows, type DeploymentRows } from './deployments.ts';
import { createListings, type Listings } from './listings.ts';
import { createMonthlyUses, type MonthlyUses } from './monthly-uses.ts';
import { firstTables } from './migrations/0001-first-tables.ts';
import { addedRemotes } from './migrations/0002-added-remotes.ts';
import { bundlesAndApprovals } from './migrations/0003-bundles-and-approvals.ts';
import { fleetTables } from './migrations/0007-fleet.ts';
import { apiKeysTable } from './migrations/0008-api-keys.ts';
import { keyCertificates } from './migrations/0011-key-certificates.ts';
import { monthlyUsesTable } from './migrations/0010-monthly-uses.ts';
import { keyAttributes } from './migrations/0012-key-attributes.ts';
import { peopleTables } from './migrations/0013-people.ts';
import { oauthRecordsTable } from './migrations/0014-oauth-records.ts';
import { secretTables } from './migrations/0016-secrets.ts';
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts';
import { serverChangesTable } from './migrations/0004-server-changes.ts';
import { scaleBoundsTable } from './migrations/0006-scale-bounds.ts';
import { createOauthRecords, type OauthRecords } from './oauth-records.ts';
import { type KeptScaleBounds, openScaleBounds } from './scale-bounds.ts';
import { createQuarantineRows, type QuarantineRows } from './quarantined-servers.ts';
import { createSecretRows, type SecretRows } from './secrets.ts';
import { createServerChanges, type ServerChanges } from './server-changes.ts';
import { createServerSettingsRows, type ServerSettingsRows } from './server-settings.ts';
import type { Tables } from './tables.ts';
import { createUsers, type Users } from './users.ts';
import { createWebSessions, type WebSessions } from './web-sessions.ts';

export interface Store extends AsyncDisposable {
  readonly listings: Listings;
  readonly addedServers: AddedEntries;
  readonly addedRemotes: AddedEntries;
  readonly addedBundles: AddedBundles;
  readonly approvals: Approvals;
  readonly serverChanges: ServerChanges;
  readonly scaleBounds: KeptScaleBounds;
  readonly deployments: DeploymentRows;
  readonly serverSettings: ServerSettingsRows;
  readonly quarantine: QuarantineRows;
  readonly apiKeys: ApiKeys;
  readonly monthlyUses: MonthlyUses;
  readonly users: Users;
  readonly webSessions: WebSessions;
  readonly oauthRecords: OauthRecords;
  readonly secrets: SecretRows;
}

/** By name, in their order. */
const migrations = {
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
  '0016-secrets': secretTables,
};

/** Opens `<dataDir>/state.sqlite`; throws STORAGE_FAILED when it cannot be read or migrated. */
export async function openStore(dataDir: string): Promise<Store> {
  try {
    await mkdir(dataDir, { recursive: true });
    const db = new Kysely<Tables>({ dialect: createNodeSqliteDialect(join(dataDir, 'state.sqlite')) });
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => migrations },
    });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    const listings = createListings(db);
    return {
      listings,
      addedServers: createAddedEntries(db, 'added_servers'),
      addedRemotes: createAddedEntries(db, 'added_remotes'),
      addedBundles: createAddedBundles(db),
      approvals: createApprovals(db),
      serverChanges: createServerChanges(db),
      scaleBounds: await openScaleBounds(db),
      deployments: createDeploymentRows(db),
      serverSettings: createServerSettingsRows(db),
      quarantine: createQuarantineRows(db),
      apiKeys: createApiKeys(db),
      monthlyUses: createMonthlyUses(db),
      users: createUsers(db),
      webSessions: createWebSessions(db),
      oauthRecords: createOauthRecords(db),
      secrets: createSecretRows(db),
      async [Symbol.asyncDispose]() {
        await listings[Symbol.asyncDispose]();
        await db.destroy();
      },
    };
  } catch (error) {
    throw new AppError('STORAGE_FAILED', { path: dataDir, problem: messageOf(error) }, { cause: error });
  }
}
