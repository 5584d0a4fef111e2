/** Databases of the SQLite server as files of its data folder. */

import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';

/** Opening `con.db` or `nul.db` reaches a device on Windows. */
const deviceName = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

export const databaseShape = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, _ or -' })
  .refine((name) => !deviceName.test(name), { error: 'is a device name on Windows; choose another' })
  .default('main')
  .describe('Name of the database: letters, digits, _ and -; default main.');

export interface DatabaseFile {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: string;
}

/** Path of a database, in a folder that exists afterwards. */
export async function writablePath(dataDir: string, name: string): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  return join(dataDir, `${name}.db`);
}

/** Path of a database that exists, or of `main`, which reads as empty until something is written. */
export async function readablePath(dataDir: string, name: string): Promise<string> {
  const path = join(dataDir, `${name}.db`);
  if (name === 'main' || (await sizeOf(path)) !== undefined) return path;
  const known = (await listDatabaseFiles(dataDir)).map((file) => file.name);
  throw new ToolError(
    `database: there is no ${name}; there are ${known.join(', ') || 'none yet'}; writing to a name makes it`,
  );
}

/** All databases by name, with the size of file and write-ahead log. */
export async function listDatabaseFiles(dataDir: string): Promise<DatabaseFile[]> {
  const entries = await readdir(dataDir).catch(() => []);
  const names = entries.filter((entry) => entry.endsWith('.db')).map((entry) => entry.slice(0, -3));
  const files = await Promise.all(
    names.toSorted().map(async (name) => {
      const path = join(dataDir, `${name}.db`);
      const found = await stat(path).catch(() => undefined);
      if (!found?.isFile()) return [];
      const logBytes = (await sizeOf(`${path}-wal`)) ?? 0;
      return { name, bytes: found.size + logBytes, modifiedAt: found.mtime.toISOString() };
    }),
  );
  return files.flat();
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}
