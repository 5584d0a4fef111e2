/** The state in PostgreSQL: every look and every change is a transaction of one tenant, with row-level security below. */

import { Kysely, sql } from 'kysely';
import type { Logger } from '../../kernel/log.ts';
import { migrateToLatest } from '../migrate.ts';
import type { Tables } from '../tables.ts';
import { type StorePlace, type TenantDb, toStoreError, type Work } from '../tenant-db.ts';
import {
  appRole,
  createPool,
  createPostgresDialect,
  createSetupDialect,
  createSetupPool,
  type PostgresOptions,
  postgresPlace,
} from './connect-postgres.ts';
import { prepareRole, protectTables } from './protect-tables.ts';

/** Any number that no one else uses: who holds it is the one that makes tables. */
const setupLock = 7_160_815_011;

/** For another coordinator that makes tables, or one that uses them. */
const setupWait = '60s';

/** Does something with the rights of the user in the URL, one process at a time. */
export async function withSetup<T>(url: string, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
  const db = new Kysely<Tables>({ dialect: createSetupDialect(createSetupPool({ url })) });
  try {
    return await db.connection().execute(async (connection) => {
      await sql`select set_config('lock_timeout', ${sql.lit(setupWait)}, false)`.execute(connection);
      // Ends with the connection, whatever happens.
      await sql`select pg_advisory_lock(${sql.lit(setupLock)})`.execute(connection);
      return await work(connection);
    });
  } finally {
    await db.destroy();
  }
}

/** Asks the server who it is. Throws STORAGE_FAILED naming host and database. */
export async function probePostgres(url: string): Promise<{ at: string; version: string }> {
  const at = postgresPlace(url);
  const db = new Kysely<Tables>({ dialect: createSetupDialect(createSetupPool({ url })) });
  try {
    const { rows } = await sql<{ version: string }>`
      select current_setting('server_version') as version`.execute(db);
    return { at, version: rows[0]?.version ?? '' };
  } catch (error) {
    throw toStoreError({ at }, error);
  } finally {
    await db.destroy();
  }
}

/** Makes the tables and protects them. Throws what the database throws. */
export async function setUpTables(db: Kysely<Tables>): Promise<void> {
  await prepareRole(db);
  await migrateToLatest(db);
  await protectTables(db);
}

/** Opens the database and brings its tables up to date. Throws STORAGE_FAILED naming host and database. */
export async function openPostgres(options: PostgresOptions, logger: Logger): Promise<TenantDb> {
  const place: StorePlace = { kind: 'postgresql', at: postgresPlace(options.url) };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw toStoreError(place, error);
    }
  };
  await guarded(() => withSetup(options.url, setUpTables));
  const db = new Kysely<Tables>({ dialect: createPostgresDialect(createPool(options, logger)) });

  /**
   * A transaction that gives up the rights of whoever the URL names, with a setting that policies go by. Both end with
   * it, so nothing is left on a connection, and a proxy that deals out connections by transaction may stand between.
   */
  const within = <T>(setting: string, value: string, mode: 'read only' | 'read write', work: Work<T>) =>
    guarded(() =>
      db
        .transaction()
        .setAccessMode(mode)
        .execute(async (transaction) => {
          await sql`select set_config('role', ${appRole}, true), set_config(${setting}, ${value}, true)`.execute(
            transaction,
          );
          return await work(transaction);
        }),
    );

  return {
    place,
    read: (tenant, work) => within('app.tenant', tenant, 'read only', work),
    write: (tenant, work) => within('app.tenant', tenant, 'read write', work),
    readAcross: (tables, work) => within('app.read_across', tables.join(','), 'read only', work),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}
