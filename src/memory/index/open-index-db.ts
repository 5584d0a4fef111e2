/** The SQLite index: everything in it can be made again from Git and the journal, so it is thrown away when in doubt. */

import { rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Logger } from '../../kernel/log.ts';
import { changeTables } from '../changes/change-table.ts';
import { linkTables } from '../links/link-table.ts';
import { searchTable } from '../search/search-table.ts';
import { unindexedTable } from '../search/unindexed-rows.ts';

/** Grows with every change of the schema or of how values are indexed; an older file is rebuilt. */
const schemaVersion = 6;

/** A full check reads the whole file; over this size it would delay the start by seconds. */
const maxCheckedBytes = 256 * 1024 * 1024;

/**
 * Tables of the index. `kid` is the
 * key that an entry is sealed under; `sealed` has a row an entry that is or was sealed, with a new number for
 * each change, so that whoever opens such entries sees what is new.
 */
export const indexSchema = `
  CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    path TEXT NOT NULL,
    etag TEXT NOT NULL,
    tags TEXT NOT NULL,
    expires_ms INTEGER,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    seq INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    kid TEXT,
    content BLOB NOT NULL
  );
  CREATE UNIQUE INDEX entries_key ON entries (scope, key);
  CREATE INDEX entries_expiry ON entries (expires_ms) WHERE expires_ms IS NOT NULL;
  CREATE TABLE versions (
    ordinal INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    path TEXT NOT NULL,
    etag TEXT,
    commit_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    op TEXT NOT NULL,
    seq INTEGER
  );
  CREATE INDEX versions_key ON versions (scope, key);
  CREATE INDEX versions_commit ON versions (commit_id);
  CREATE TABLE sealed (change INTEGER PRIMARY KEY AUTOINCREMENT, entry_id INTEGER NOT NULL UNIQUE);
  CREATE TABLE folders (path TEXT PRIMARY KEY, files INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE scopes (scope TEXT PRIMARY KEY, keys INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
  ${searchTable}
  ${unindexedTable}
  ${changeTables}
  ${linkTables}
`;

/**
 * Opens the index file for writing, or makes an empty one when it is missing, damaged or of another version.
 * Losing the last transactions to a power cut is fine, so commits do not wait for the disk; only folding the
 * log in does, which is why one thread of its own writes.
 */
export function openIndexDb(path: string, logger: Logger): DatabaseSync {
  try {
    const db = tryOpen(path);
    if (db) return db;
    logger.debug({ path }, 'building the memory index anew');
  } catch (error) {
    logger.warn({ path, err: error }, 'the memory index is damaged; building it anew');
  }
  removeIndexFiles(path);
  const db = openFile(path);
  db.exec(`BEGIN; ${indexSchema} PRAGMA user_version = ${schemaVersion}; COMMIT;`);
  return db;
}

/** Opens the file that a writer has made, for reading beside it. */
export function openIndexForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true });
  db.exec('PRAGMA busy_timeout = 5000; PRAGMA cache_size = -32768; PRAGMA mmap_size = 268435456;');
  return db;
}

function openFile(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 16384;
    PRAGMA busy_timeout = 5000;
  `);
  return db;
}

function tryOpen(path: string): DatabaseSync | undefined {
  const db = openFile(path);
  try {
    const row = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (row.user_version !== schemaVersion) {
      db.close();
      return undefined;
    }
    if (statSync(path).size > maxCheckedBytes) return db;
    const check = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (check.quick_check !== 'ok') throw new Error(check.quick_check);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Deletes the index with all that belongs to it. */
export function removeIndexFiles(path: string): void {
  for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(path + ending, { force: true });
}
