/** Current values, versions and search, in SQLite. Reads and writes are synchronous and short. */

import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { type ChangeTable, createChangeTable } from '../changes/change-table.ts';
import { type FileCodec, type SealableFile, keylessCodec } from '../encryption/file-codec.ts';
import { createLinkWriter } from '../links/link-table.ts';
import { clearSearch, createSearchWriter } from '../search/search-table.ts';
import { createUnindexedRows } from '../search/unindexed-rows.ts';
import type { Entry, EntryInput } from './entry.ts';
import { type IndexReader, createIndexReader } from './index-reader.ts';
import { indexSchema, openIndexDb } from './open-index-db.ts';
import { createSealedRows } from './sealed-rows.ts';
import { createEntryRows } from './entry-rows.ts';
import { createFolderCounts } from './folder-counts.ts';

/** The index as its one writer sees it. */
export interface MemoryIndex extends IndexReader {
  readonly changes: ChangeTable;
  /** Runs `work` as one transaction. */
  transaction(work: () => void): void;
  /** Puts a value; its full text follows with `writeText`. */
  put(entry: EntryInput): void;
  remove(scope: string, key: string): void;
  /** Brings the full text of so many memories up to date, the oldest first; returns how many. */
  writeText(limit: number): number;
  setMeta(name: 'head' | 'commits', value: string | null): void;
  /** Empties everything. */
  clear(): void;
  /** Writes the file anew, so that nothing of deleted rows is left in it. */
  compact(): void;
}

/** A file that cannot be opened here: nothing of it is kept. */
const closedFile: SealableFile = { tags: [], value: null };

const clearedTables = [
  'entries',
  'versions',
  'meta',
  'unindexed',
  'folders',
  'scopes',
  'links',
  'link_names',
];

/** Opens or makes the index file, for the one thread that writes. */
export function openMemoryIndex(path: string, logger: Logger): MemoryIndex {
  return createMemoryIndex(openIndexDb(path, logger), keylessCodec);
}

/** An index in memory, for a look at a former state or at sealed entries: it holds what the codec opens. */
export function createTemporaryIndex(codec: FileCodec = keylessCodec): MemoryIndex {
  const db = new DatabaseSync(':memory:');
  db.exec(indexSchema);
  return createMemoryIndex(db, codec);
}

function createMemoryIndex(db: DatabaseSync, codec: FileCodec): MemoryIndex {
  const reader = createIndexReader(db, codec);
  const changes = createChangeTable(db);
  const searchWriter = createSearchWriter(db);
  const linkWriter = createLinkWriter(db);
  const rows = createEntryRows(db);
  const folderCounts = createFolderCounts(db);
  const setMeta = db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
  const unindexed = createUnindexedRows(db);
  const textOf = db.prepare('SELECT scope, key, path, content FROM entries WHERE id = ?');
  const sealedRows = createSealedRows(db);

  function writeTextOf(id: number): void {
    const row = textOf.get(id) as unknown as Entry | undefined;
    const file = row && codec.inspect(row.scope, row.path, row.content).file;
    if (file) searchWriter.put(id, row, file);
    else searchWriter.remove(id);
    unindexed.unmark(id);
  }

  return {
    ...reader,
    changes,
    get unindexedCount() {
      return reader.unindexedCount;
    },
    transaction(work) {
      db.exec('BEGIN IMMEDIATE');
      try {
        work();
        rows.write();
        folderCounts.write();
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        rows.forget();
        folderCounts.forget();
        changes.rolledBack();
        throw error;
      }
    },
    put(entry) {
      const { scope, path, content } = entry;
      const { file = closedFile, kid, expiresMs = null } = codec.inspect(scope, path, content);
      const { id, former } = rows.put(entry, { tags: file.tags, expiresMs, kid: kid ?? null });
      unindexed.mark(id, entry);
      sealedRows.changed(id, kid !== undefined);
      searchWriter.putThread(id, scope, file, former === undefined);
      if (former && former.path !== path) folderCounts.removed(former.path);
      if (former?.path !== path) folderCounts.added(path);
      linkWriter.put(id, entry, file, {
        content: file === closedFile ? noBytes : content,
        isNew: former === undefined,
      });
    },
    remove(scope, key) {
      const former = rows.remove(scope, key);
      if (!former) return;
      unindexed.mark(former.id);
      sealedRows.changed(former.id, false);
      folderCounts.removed(former.path);
      linkWriter.remove(former.id);
    },
    writeText(limit) {
      const oldest = unindexed.oldest(limit);
      for (const id of oldest) writeTextOf(id);
      return oldest.length;
    },
    setMeta(name, value) {
      setMeta.run(name, value);
    },
    clear() {
      for (const table of clearedTables) db.exec(`DELETE FROM ${table}`);
      rows.cleared(sealedRows.clear());
      db.exec(clearSearch);
      folderCounts.forget();
      changes.clear();
    },
    compact() {
      db.exec('PRAGMA secure_delete = ON; VACUUM; PRAGMA secure_delete = OFF;');
      const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
      const problem = 'is read by another program, so that old values may still be in it';
      if (busy !== 0) throw new AppError('STORAGE_FAILED', { path: db.location() ?? '', problem });
    },
  };
}

const noBytes = new Uint8Array(0);
