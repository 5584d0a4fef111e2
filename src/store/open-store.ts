/** The state: opened, migrated, and handed out as one small repository a table. */

import { join } from 'node:path';
import { type Logger, silentLogger } from '../kernel/log.ts';
import { type AddedEntries, createAddedEntries } from './added-entries.ts';
import { type ApiKeys, createApiKeys } from './api-keys.ts';
import { type Approvals, createApprovals } from './approvals.ts';
import { type AddedBundles, createAddedBundles } from './bundles.ts';
import { createDeploymentRows, type DeploymentRows } from './deployments.ts';
import { createListings, type Listings } from './listings.ts';
import { openSqlite } from './open-sqlite.ts';
import type { PostgresOptions } from './postgres/connect-postgres.ts';
import { createQuarantineRows, type QuarantineRows } from './quarantined-servers.ts';
import { createScaleBoundsRows, type ScaleBoundsRows } from './scale-bounds.ts';
import { createServerChanges, type ServerChanges } from './server-changes.ts';
import { createServerSettingsRows, type ServerSettingsRows } from './server-settings.ts';
import type { StorePlace, TenantDb } from './tenant-db.ts';

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
}

export interface OpenStoreOptions {
  /** Without it the state is `state.sqlite` in the data folder. */
  readonly postgres?: PostgresOptions | undefined;
  readonly logger?: Logger;
}

/** Opens the state of a data folder; throws STORAGE_FAILED when it cannot be reached, read or migrated. */
export async function openStore(dataDir: string, options: OpenStoreOptions = {}): Promise<Store> {
  const db = await openDb(dataDir, options);
  const listings = createListings(db);
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
    async [Symbol.asyncDispose]() {
      await listings[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
    },
  };
}

async function openDb(dataDir: string, options: OpenStoreOptions): Promise<TenantDb> {
  const { postgres, logger = silentLogger } = options;
  if (!postgres) return await openSqlite(join(dataDir, 'state.sqlite'));
  // Loaded where it is configured only, with its driver.
  const { openPostgres } = await import('./postgres/open-postgres.ts');
  return await openPostgres(postgres, logger);
}
