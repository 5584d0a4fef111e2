/** The state: opened, migrated, and handed out as one small repository a table. */

import { join } from 'node:path';
import { type Logger, silentLogger } from '../kernel/log.ts';
import { type AddedEntries, createAddedEntries } from './added-entries.ts';
import { type ApiKeys, createApiKeys } from './api-keys.ts';
import { type Approvals, createApprovals } from './approvals.ts';
import { type AddedBundles, createAddedBundles } from './bundles.ts';
import { createDeploymentRows, type DeploymentRows } from './deployments.ts';
import { createListings, type Listings } from './listings.ts';
import { createMonthlyUses, type MonthlyUses } from './monthly-uses.ts';
import { createOauthRecords, type OauthRecords } from './oauth-records.ts';
import { openSqlite } from './open-sqlite.ts';
import type { PostgresOptions } from './postgres/connect-postgres.ts';
import { createQuarantineRows, type QuarantineRows } from './quarantined-servers.ts';
import { createScaleBoundsRows, type ScaleBoundsRows } from './scale-bounds.ts';
import { createSecretRows, type SecretRows } from './secrets.ts';
import { createServerChanges, type ServerChanges } from './server-changes.ts';
import { createServerSettingsRows, type ServerSettingsRows } from './server-settings.ts';
import { inTransactions } from './in-transactions.ts';
import type { StorePlace, TenantDb } from './tenant-db.ts';
import { createUsers, type Users } from './users.ts';
import { createWebSessions, type WebSessions } from './web-sessions.ts';

/** Each function of a repository takes the tenant; `openTenantStore` gives it to all of them. */
export interface Store extends AsyncDisposable {
  readonly place: StorePlace;
  readonly listings: Listings;
  readonly addedServers: AddedEntries;
  readonly addedRemotes: AddedEntries;
  readonly addedBundles: AddedBundles;
  readonly approvals: Approvals;
  readonly serverChanges: ServerChanges;
  readonly scaleBounds: ScaleBoundsRows;
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

export interface OpenStoreOptions {
  /** Without it the state is `state.sqlite` in the data folder. */
  readonly postgres?: PostgresOptions | undefined;
  readonly logger?: Logger;
}

/** Opens the state of a data folder; throws STORAGE_FAILED when it cannot be reached, read or migrated. */
export async function openStore(dataDir: string, options: OpenStoreOptions = {}): Promise<Store> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await openSqlite(join(dataDir, 'state.sqlite')));
  const db = options.postgres ? opened.use(await openDb(options.postgres, options.logger)) : folder;
  const listings = opened.use(createListings(db));
  const close = opened.move();
  return {
    place: db.place,
    listings,
    addedServers: createAddedEntries(db, 'added_servers'),
    addedRemotes: createAddedEntries(db, 'added_remotes'),
    addedBundles: createAddedBundles(db),
    approvals: createApprovals(db),
    serverChanges: createServerChanges(db),
    scaleBounds: createScaleBoundsRows(db),
    deployments: createDeploymentRows(db),
    serverSettings: createServerSettingsRows(db),
    quarantine: createQuarantineRows(db),
    apiKeys: createApiKeys(db),
    // Still of the data folder, wherever the rest is: each coordinator has its own.
    monthlyUses: inTransactions(folder, createMonthlyUses),
    users: inTransactions(folder, createUsers),
    webSessions: inTransactions(folder, createWebSessions),
    oauthRecords: inTransactions(folder, createOauthRecords),
    secrets: inTransactions(folder, createSecretRows),
    [Symbol.asyncDispose]: () => close.disposeAsync(),
  };
}

/** Loaded where it is configured only, with its driver. */
async function openDb(postgres: PostgresOptions, logger: Logger = silentLogger): Promise<TenantDb> {
  const { openPostgres } = await import('./postgres/open-postgres.ts');
  return await openPostgres(postgres, logger);
}
