/** The embedded state: opened, migrated, and handed out as one small repository a table. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { AppError, messageOf } from '../kernel/errors.ts';
import { type AddedServers, createAddedServers } from './added-servers.ts';
import { type Approvals, createApprovals } from './approvals.ts';
import { type AddedBundles, createAddedBundles } from './bundles.ts';
import { createListings, type Listings } from './listings.ts';
import { firstTables } from './migrations/0001-first-tables.ts';
import { bundlesAndApprovals } from './migrations/0002-bundles-and-approvals.ts';
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Tables } from './tables.ts';

export interface Store extends AsyncDisposable {
  readonly listings: Listings;
  readonly addedServers: AddedServers;
  readonly addedBundles: AddedBundles;
  readonly approvals: Approvals;
}

/** Opens `<dataDir>/state.sqlite`; throws STORAGE_FAILED when it cannot be read or migrated. */
export async function openStore(dataDir: string): Promise<Store> {
  try {
    await mkdir(dataDir, { recursive: true });
    const db = new Kysely<Tables>({ dialect: createNodeSqliteDialect(join(dataDir, 'state.sqlite')) });
    const migrator = new Migrator({
      db,
      provider: {
        getMigrations: async () => ({
          '0001-first-tables': firstTables,
          '0002-bundles-and-approvals': bundlesAndApprovals,
        }),
      },
    });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    return {
      listings: createListings(db),
      addedServers: createAddedServers(db),
      addedBundles: createAddedBundles(db),
      approvals: createApprovals(db),
      [Symbol.asyncDispose]: () => db.destroy(),
    };
  } catch (error) {
    throw new AppError('STORAGE_FAILED', { path: dataDir, problem: messageOf(error) }, { cause: error });
  }
}
