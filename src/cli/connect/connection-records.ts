/** What `connect` changed, so that `disconnect` can take it back: one record an entry, with a copy of the file. */

import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileSafely } from '../clients/write-file-safely.ts';

const recordShape = z.object({
  client: z.string(),
  /** The client's config file. */
  file: z.string(),
  /** Name of our entry in it. */
  entry: z.string(),
  /** Copy of the file as it was; absent when there was none. */
  backup: z.string().optional(),
  /** SHA-256 of what we wrote; another one means that someone changed the file since. */
  written: z.string(),
  /** False when the file was changed between two connects: then the copy is out of date. */
  isExact: z.boolean(),
  /** The entry that ours replaced. */
  previous: z.unknown().optional(),
  at: z.string(),
});
/** One connect that can be taken back. */
export type ConnectionRecord = z.infer<typeof recordShape>;

/** The records of one person. */
export interface ConnectionRecords {
  /** The records of a file, newest first. */
  of(client: string, file: string): Promise<ConnectionRecord[]>;
  put(record: ConnectionRecord): Promise<void>;
  /** Forgets the record; its copy of the file goes too, because it may hold secrets. */
  remove(record: ConnectionRecord): Promise<void>;
  /** Keeps a copy under a name with the time in it; returns its path. */
  backUp(client: string, content: Buffer, at: Date): Promise<string>;
}

/** SHA-256 as hexadecimal digits. */
export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Records in `connections.json` of a folder that only its owner can read. */
export function openConnectionRecords(folder: string): ConnectionRecords {
  const path = join(folder, 'connections.json');

  async function all(): Promise<ConnectionRecord[]> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw error;
    });
    return z.array(recordShape).parse(JSON.parse(text));
  }

  async function write(records: readonly ConnectionRecord[]): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFileSafely(path, `${JSON.stringify(records, null, 2)}\n`);
  }

  const isSame = (a: ConnectionRecord, b: ConnectionRecord): boolean =>
    a.client === b.client && a.file === b.file && a.entry === b.entry;

  return {
    async of(client, file) {
      const records = await all();
      return records.filter((record) => record.client === client && record.file === file).toReversed();
    },
    async put(record) {
      const others = (await all()).filter((other) => !isSame(record, other));
      await write([...others, record]);
    },
    async remove(record) {
      await write((await all()).filter((other) => !isSame(record, other)));
      if (record.backup !== undefined) await rm(record.backup, { force: true });
    },
    async backUp(client, content, at) {
      const backups = join(folder, 'backups');
      await mkdir(backups, { recursive: true, mode: 0o700 });
      const stamp = at.toISOString().replaceAll(/[:.]/g, '-');
      const copy = join(backups, `${client}-${stamp}-${sha256(content).slice(0, 8)}.json`);
      await writeFile(copy, content, { mode: 0o600, flush: true });
      return copy;
    },
  };
}
