/** The audit log's own file, so that its writes wait for nothing else and nothing else waits for them. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { AppError, messageOf } from '../kernel/errors.ts';
import { type AuditCheckpoints, createAuditCheckpoints } from './audit-checkpoints.ts';
import { type AuditRecords, createAuditRecords } from './audit-records.ts';
import { auditRecordsTables } from './migrations/0009-audit-records.ts';
import { createNodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { AuditTables } from './tables.ts';

export interface AuditStore extends AsyncDisposable {
  readonly records: AuditRecords;
  readonly checkpoints: AuditCheckpoints;
}

/** Name of the file in the data folder. */
export const auditStoreName = 'audit.sqlite';

const migrations = { '0009-audit-records': auditRecordsTables };

/**
 * Opens `<dataDir>/audit.sqlite`; throws STORAGE_FAILED when it cannot be read or migrated. While another process writes, a
 * write waits `busyTimeoutMs`, with all else in this thread; five seconds unless said.
 */
export async function openAuditStore(dataDir: string, busyTimeoutMs = 5000): Promise<AuditStore> {
  const path = join(dataDir, auditStoreName);
  try {
    await mkdir(dataDir, { recursive: true });
    const db = new Kysely<AuditTables>({ dialect: createNodeSqliteDialect(path) });
    await sql.raw(`PRAGMA busy_timeout = ${Math.max(busyTimeoutMs, 5000)}`).execute(db);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) {
      await db.destroy();
      throw error;
    }
    await sql.raw(`PRAGMA busy_timeout = ${busyTimeoutMs}`).execute(db);
    return {
      records: createAuditRecords(db),
      checkpoints: createAuditCheckpoints(db),
      [Symbol.asyncDispose]: () => db.destroy(),
    };
  } catch (error) {
    throw new AppError('STORAGE_FAILED', { path, problem: messageOf(error) }, { cause: error });
  }
}
