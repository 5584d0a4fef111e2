/** Settings of the SQLite server, and the processes that all its instances in a thread share. */

import { join } from 'node:path';
import { z } from 'zod';
import type { ToolContext } from '../../kernel/define-server.ts';
import { createSqlProcessPool, type SqlProcessPool } from './sql-process-pool.ts';
import type { SqlOperation, SqlOperations } from './sql-operations.ts';

export const sqliteSettingsShape = z
  .strictObject({
    timeoutMs: z
      .number()
      .int()
      .min(100)
      .max(600_000)
      .default(10_000)
      .describe('Milliseconds that a statement or transaction may run before it is stopped and rolled back.'),
    maxDatabaseBytes: z
      .number()
      .int()
      .min(65_536)
      .max(1024 ** 4)
      .default(1024 ** 3)
      .describe('Size in bytes beyond which a database refuses to grow.'),
  })
  .prefault({});

export type SqliteContext = ToolContext<z.output<typeof sqliteSettingsShape>>;

/** More would only fight for the same disk; SQLite has one writer a file anyway. */
const processCount = 2;
let pool: SqlProcessPool | undefined;

/** The processes, started by the first call. */
export function sqlProcesses(): SqlProcessPool {
  pool ??= createSqlProcessPool({ size: processCount });
  return pool;
}

type Rest<Op extends SqlOperation> = Omit<SqlOperations[Op]['input'], 'path' | 'maxDatabaseBytes'>;

/** Runs an operation under the limits of the settings. */
export function runSql<Op extends SqlOperation>(
  operation: Op,
  path: string,
  rest: Rest<Op>,
  context: SqliteContext,
): Promise<SqlOperations[Op]['output']> {
  const { timeoutMs, maxDatabaseBytes } = context.settings;
  const input = { ...rest, path, maxDatabaseBytes } as SqlOperations[Op]['input'];
  return sqlProcesses().run(operation, input, { timeoutMs, signal: context.signal });
}

/** Where copies go. */
export function backupFolder(context: SqliteContext): string {
  return join(context.instance.dataDir, 'backups');
}
