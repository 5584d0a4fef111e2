/** Current values, versions and search, in SQLite. Reads and writes are synchronous and short. */

import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Logger } from '../../kernel/log.ts';
import {
  type ChangeReader,
  type ChangeTable,
  createChangeReader,
  createChangeTable,
} from '../changes/change-table.ts';
import { type VectorTable, createVectorTable } from '../embeddings/vector-table.ts';
import { kindOfPath } from '../files/key-path.ts';
import { decodeMemoryFile } from '../files/memory-file.ts';
import { type LinkTable, createLinkTable, createLinkWriter } from '../links/link-table.ts';
import { type SearchReader, createSearchReader } from '../search/search-reader.ts';
import { clearSearch, createSearchWriter, threadColumns } from '../search/search-table.ts';
import { indexSchema, openIndexDb, openIndexForReading } from './open-index-db.ts';
import { createFolderCounts } from './folder-counts.ts';
import { type VersionTable, createVersionTable } from './version-table.ts';

/** The current value of one memory. */
export interface Entry {
  readonly scope: string;
  readonly key: string;
  readonly path: string;
  readonly etag: string;
  readonly tags: readonly string[];
  readonly expiresMs: number | null;
  readonly atMs: number;
  readonly actor: string;
  /** Journal position; 0 for what someone pushed. */
  readonly seq: number;
  readonly content: Uint8Array;
}

/** What to put: tags and expiry are read from the content. */
export type EntryInput = Omit<Entry, 'tags' | 'expiresMs'>;

/** A row of a listing, without its value. */
export type EntryHead = Omit<Entry, 'content'> & {
  readonly thread?: string | undefined;
  readonly sequence?: number | undefined;
};

export interface EntryQuery {
  readonly scope?: string | undefined;
  readonly prefix?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Keys after this one. */
  readonly after?: string | undefined;
  readonly nowMs: number;
  readonly limit: number;
}

/** The index as its readers see it. */
export interface IndexReader extends Disposable {
  get(scope: string, key: string): Entry | undefined;
  list(query: EntryQuery): EntryHead[];
  /** Finds memories whose full text is up to date; `writeText` brings the others there. */
  readonly search: SearchReader;
  readonly vectors: VectorTable;
  /** Memories whose time is over at `nowMs`. */
  expired(nowMs: number, limit: number): EntryHead[];
  sizes(nowMs: number): { scope: string; keys: number; bytes: number }[];
  readonly versions: VersionTable;
  readonly feed: ChangeReader;
  readonly links: LinkTable;
  getMeta(name: 'head' | 'commits'): string | null;
  /** Files that a folder of the repository holds, fan-out included and sub-folders not. */
  filesIn(folder: string): number;
  /** Memories whose full text is not up to date. */
  readonly unindexedCount: number;
}

/** The index as its one writer sees it. */
export interface MemoryIndex extends IndexReader {
  readonly changes: ChangeTable;
  /** Runs `work` as one transaction. */
  transaction(work: () => void): void;
  /** Puts a value; its full text follows with `writeText`. */
  put(entry: EntryInput): void;
  remove(scope: string, key: string): void;
  /** Brings the full text of so many memories up to date, those with these ids or the oldest; returns how many. */
  writeText(limit: number, ids?: readonly number[]): number;
  /** Values without up-to-date full text, newest first. */
  unindexed(
    limit: number,
  ): Iterable<{ readonly id: number; readonly key: string; readonly content: Uint8Array }>;
  setMeta(name: 'head' | 'commits', value: string | null): void;
  /** Empties everything. */
  clear(): void;
}

const headColumns = 'id, scope, key, path, etag, tags, expires_ms, at_ms, actor, seq';

const clearedTables = ['entries', 'versions', 'meta', 'unindexed', 'folders', 'links', 'link_names'];

interface Row {
  readonly id: number;
  readonly scope: string;
  readonly key: string;
  readonly path: string;
  readonly etag: string;
  readonly tags: string;
  readonly expires_ms: number | null;
  readonly at_ms: number;
  readonly actor: string;
  readonly seq: number;
  readonly content: Uint8Array;
  readonly thread?: string | null;
  readonly sequence?: number | null;
}

/** Opens or makes the index file, for the one thread that writes. */
export function openMemoryIndex(path: string, logger: Logger): MemoryIndex {
  return createMemoryIndex(openIndexDb(path, logger));
}

/** Opens the index file for reading; a writer must have made it. */
export function openIndexReader(path: string): IndexReader {
  return createIndexReader(openIndexForReading(path));
}

/** An index in memory, for a look at a former state. */
export function createTemporaryIndex(): MemoryIndex {
  const db = new DatabaseSync(':memory:');
  db.exec(indexSchema);
  return createMemoryIndex(db);
}

function createIndexReader(db: DatabaseSync): IndexReader {
  const get = db.prepare(`SELECT ${headColumns}, content FROM entries WHERE scope = ? AND key = ?`);
  const getMeta = db.prepare('SELECT value FROM meta WHERE name = ?');
  const filesIn = db.prepare('SELECT files FROM folders WHERE path = ?');
  const countUnindexed = db.prepare('SELECT count(*) AS n FROM unindexed');

  return {
    versions: createVersionTable(db),
    feed: createChangeReader(db),
    search: createSearchReader(db),
    vectors: createVectorTable(db),
    links: createLinkTable(db),
    get(scope, key) {
      const row = get.get(scope, key) as unknown as Row | undefined;
      return row && { ...toHead(row), content: row.content };
    },
    list(query) {
      const { sql, parameters } = toFilter(query);
      const text = `SELECT ${headColumns}, ${threadColumns} FROM entries e WHERE ${sql} ORDER BY scope, key LIMIT ?`;
      const rows = db.prepare(text).all(...parameters, query.limit) as unknown as Row[];
      return rows.map(toHead);
    },
    expired(nowMs, limit) {
      const text = `SELECT ${headColumns} FROM entries WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?`;
      return (db.prepare(text).all(nowMs, limit) as unknown as Row[]).map(toHead);
    },
    sizes(nowMs) {
      const text = `SELECT scope, count(*) AS keys, sum(bytes) AS bytes FROM entries
        WHERE expires_ms IS NULL OR expires_ms > ? GROUP BY scope ORDER BY scope`;
      const rows = db.prepare(text).all(nowMs) as unknown as { scope: string; keys: number; bytes: number }[];
      return rows.map((row) => ({ ...row }));
    },
    getMeta: (name) => (getMeta.get(name) as { value: string | null } | undefined)?.value ?? null,
    filesIn: (folder) => (filesIn.get(folder) as { files: number } | undefined)?.files ?? 0,
    get unindexedCount() {
      return (countUnindexed.get() as unknown as { n: number }).n;
    },
    [Symbol.dispose]: () => db.close(),
  };
}

function createMemoryIndex(db: DatabaseSync): MemoryIndex {
  const reader = createIndexReader(db);
  const changes = createChangeTable(db);
  const searchWriter = createSearchWriter(db);
  const linkWriter = createLinkWriter(db);
  const put = db.prepare(
    `INSERT INTO entries (scope, key, path, etag, tags, expires_ms, at_ms, actor, seq, bytes, content)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (scope, key) DO UPDATE SET path = excluded.path, etag = excluded.etag, tags = excluded.tags,
       expires_ms = excluded.expires_ms, at_ms = excluded.at_ms, actor = excluded.actor,
       seq = excluded.seq, bytes = excluded.bytes, content = excluded.content
     RETURNING id`,
  );
  const remove = db.prepare('DELETE FROM entries WHERE scope = ? AND key = ? RETURNING id, path');
  const folderCounts = createFolderCounts(db);
  const setMeta = db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
  const mark = db.prepare('INSERT OR IGNORE INTO unindexed (id) VALUES (?)');
  const unmark = db.prepare('DELETE FROM unindexed WHERE id = ?');
  const marked = db.prepare('SELECT id FROM unindexed ORDER BY id LIMIT ?');
  const newest = db.prepare(
    'SELECT e.id, e.key, e.content FROM unindexed u JOIN entries e ON e.id = u.id ORDER BY u.id DESC LIMIT ?',
  );
  const textOf = db.prepare('SELECT scope, key, path, content FROM entries WHERE id = ?');

  function writeTextOf(id: number): void {
    const row = textOf.get(id) as unknown as Row | undefined;
    if (row) searchWriter.put(id, row, decodeMemoryFile(kindOfPath(row.path), row.content));
    else searchWriter.remove(id);
    unmark.run(id);
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
        folderCounts.write();
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        folderCounts.forget();
        changes.rolledBack();
        throw error;
      }
    },
    put(entry) {
      const { scope, key, path, etag, atMs, actor, seq, content } = entry;
      const file = decodeMemoryFile(kindOfPath(path), content);
      const tags = JSON.stringify(file.tags);
      const expiresMs = file.expiresMs ?? null;
      const about = [scope, key, path, etag, tags, expiresMs, atMs, actor, seq, content.length];
      const row = put.get(...about, content) as unknown as { id: number };
      mark.run(row.id);
      searchWriter.putThread(row.id, scope, file);
      folderCounts.put(row.id, path);
      linkWriter.put(row.id, entry, file, content);
    },
    remove(scope, key) {
      const row = remove.get(scope, key) as unknown as { id: number; path: string } | undefined;
      if (!row) return;
      mark.run(row.id);
      folderCounts.remove(row.path);
      linkWriter.remove(row.id);
    },
    writeText(limit, ids) {
      const chosen = ids ?? (marked.all(limit) as unknown as { id: number }[]).map(({ id }) => id);
      for (const id of chosen) writeTextOf(id);
      return chosen.length;
    },
    *unindexed(limit) {
      for (const row of newest.iterate(limit)) yield row as unknown as Pick<Row, 'id' | 'key' | 'content'>;
    },
    setMeta(name, value) {
      setMeta.run(name, value);
    },
    clear() {
      for (const table of clearedTables) db.exec(`DELETE FROM ${table}`);
      db.exec(`DELETE FROM sqlite_sequence WHERE name = 'entries'; ${clearSearch}`);
      folderCounts.forget();
      changes.clear();
    },
  };
}

function toHead(row: Row): EntryHead {
  const { scope, key, path, etag, actor, seq } = row;
  const tags = JSON.parse(row.tags) as string[];
  return {
    scope,
    key,
    path,
    etag,
    tags,
    expiresMs: row.expires_ms,
    atMs: row.at_ms,
    actor,
    seq,
    thread: row.thread ?? undefined,
    sequence: row.sequence ?? undefined,
  };
}

function toFilter(query: Omit<EntryQuery, 'limit'>): { sql: string; parameters: SQLInputValue[] } {
  const parts = ['(e.expires_ms IS NULL OR e.expires_ms > ?)'];
  const parameters: SQLInputValue[] = [query.nowMs];
  const add = (sql: string, ...values: SQLInputValue[]) => {
    parts.push(sql);
    parameters.push(...values);
  };
  if (query.scope !== undefined) add('e.scope = ?', query.scope);
  if (query.prefix) add('e.key >= ? AND e.key < ?', query.prefix, `${query.prefix}\u{10ffff}`);
  if (query.after !== undefined) add('e.key > ?', query.after);
  for (const tag of query.tags ?? []) {
    add('EXISTS (SELECT 1 FROM json_each(e.tags) WHERE json_each.value = ?)', tag);
  }
  return { sql: parts.join(' AND '), parameters };
}
