/** The embedded state: one SQLite file in the data folder. */

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely } from 'kysely';
import { migrateToLatest } from './migrate.ts';
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Tables } from './tables.ts';
import { type TenantDb, toStoreError, type Work } from './tenant-db.ts';

/** Another process, such as `keys create`, writes for milliseconds. */
const busyTimeoutMs = 5000;
const busy = 5;

/** Tries again what could not even begin, as someone else was writing. Threads are not held up meanwhile. */
async function whileBusy<T>(work: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isBusy = (error as { errcode?: unknown } | null)?.errcode === busy;
      if (!isBusy || performance.now() > endMs) throw error;
      await sleep(1 + Math.random() * 20);
    }
  }
}

/** Opens, and makes, the file and its tables. Throws STORAGE_FAILED when it cannot be read or migrated. */
export async function openSqlite(file: string): Promise<TenantDb> {
  const place = { kind: 'sqlite', at: file } as const;
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await whileBusy(work);
    } catch (error) {
      throw toStoreError(place, error);
    }
  };
  const db = await guarded(async () => {
    await mkdir(dirname(file), { recursive: true });
    const opened = new Kysely<Tables>({ dialect: createNodeSqliteDialect(file) });
    await migrateToLatest(opened).catch(async (error: unknown) => {
      await opened.destroy();
      throw error;
    });
    return opened;
  });
  return {
    place,
    // One statement sees one state of the file: a transaction would only cost.
    read: (_tenant, work) => guarded(() => work(db)),
    write: <T>(_tenant: string, work: Work<T>) => guarded(() => db.transaction().execute(work)),
    readAcross: (_tables, work) => guarded(() => work(db)),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}
