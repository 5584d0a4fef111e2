/** Tools of the SQLite server about whole databases: list, back up, drop. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineTool, ToolError } from '../../kernel/define-server.ts';
import { databaseShape, listDatabaseFiles, readablePath } from './database-files.ts';
import { backupFolder, runSql, type SqliteContext, sqlProcesses } from './sqlite-settings.ts';

export const listDatabases = defineTool({
  name: 'list_databases',
  title: 'List databases',
  description:
    'List the databases of this server with size and time of change. A database is made by writing to it.',
  input: z.strictObject({}),
  output: z.object({
    databases: z
      .array(
        z.object({
          name: z.string().describe('Name for the database argument of the other tools.'),
          bytes: z.number().int().describe('Size of the file and its write-ahead log.'),
          modifiedAt: z.string().describe('ISO 8601 time of the last change to the file.'),
        }),
      )
      .describe('By name.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async (_, context: SqliteContext) => ({
    databases: await listDatabaseFiles(context.instance.dataDir),
  }),
});

export const backupDatabase = defineTool({
  name: 'backup_database',
  title: 'Back up a database',
  description:
    'Write a compact, consistent copy of a database into the backups folder of this server, while it stays in use. ' +
    'Returns the path. Do this before a risky change.',
  input: z.strictObject({ database: databaseShape }),
  output: z.object({
    path: z.string().describe('Absolute path of the copy.'),
    bytes: z.number().int().describe('Its size.'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  run: async ({ database }, context: SqliteContext) => {
    const path = await existingPath(context, database);
    await mkdir(backupFolder(context), { recursive: true });
    const to = join(backupFolder(context), `${database}-${fileTime()}.db`);
    const { bytes } = await runSql('backup', path, { to }, context);
    return { path: to, bytes };
  },
});

export const dropDatabase = defineTool({
  name: 'drop_database',
  title: 'Drop a database',
  description:
    'Delete a whole database for good. Repeat its name in confirm. Call backup_database first unless it is worthless.',
  input: z.strictObject({
    database: databaseShape,
    confirm: z.string().describe('The name of the database once more.'),
  }),
  output: z.object({ dropped: z.string().describe('Name of the database that is gone.') }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  run: async ({ database, confirm }, context: SqliteContext) => {
    if (confirm !== database) {
      throw new ToolError(`confirm: ${JSON.stringify(confirm)} is not the name of the database, ${database}`);
    }
    const path = await existingPath(context, database);
    // Idle processes may hold the file open, which on Windows would keep it.
    await sqlProcesses().endIdle();
    await runSql('drop', path, {}, context);
    return { dropped: database };
  },
});

async function existingPath(context: SqliteContext, name: string): Promise<string> {
  const files = await listDatabaseFiles(context.instance.dataDir);
  if (!files.some((file) => file.name === name)) {
    const known = files.map((file) => file.name).join(', ');
    throw new ToolError(`database: there is no ${name}; there are ${known || 'none yet'}`);
  }
  return readablePath(context.instance.dataDir, name);
}

/** UTC to the millisecond with a random tail, as a part of a file name. */
function fileTime(): string {
  const time = new Date().toISOString().replaceAll(/[:.]/g, '-');
  return `${time}-${crypto.randomUUID().slice(0, 4)}`;
}
