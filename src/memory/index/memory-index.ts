/** Current values, versions and search, in SQLite. Reads and writes are synchronous and short. */

import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Logger } from '../../kernel/log.ts';
import type { FileKind } from '../files/key-path.ts';
import { decodeMemoryFile } from '../files/memory-file.ts';
import { createSearchWriter, searchRows } from '../search/search-table.ts';
import { indexSchema, openIndexDb } from './open-index-db.ts';
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
  /** Null while the write waits in the journal. */
  readonly commit: string | null;
  /** Journal position; 0 for what someone pushed. */
  readonly seq: number;
  readonly content: Uint8Array;
}

/** What to put: tags and expiry are read from the content. */
export type EntryInput = Omit<Entry, 'tags' | 'expiresMs'>;

/** A row of a listing, without its value. */
export type EntryHead = Omit<Entry, 'content'>;

export interface EntryQuery {
  readonly scope?: string | undefined;
  readonly prefix?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Keys after this one. */
  readonly after?: string | undefined;
  readonly nowMs: number;
  readonly limit: number;
}

export interface MemoryIndex extends Disposable {
  /** Runs `work` as one transaction. */
  transaction(work: () => void): void;
  get(scope: string, key: string): Entry | undefined;
  put(entry: EntryInput): void;
  remove(scope: string, key: string): void;
  /** Notes the commit of a value that waited in the journal, unless it was replaced meanwhile. */
  setCommit(scope: string, key: string, seq: number, commit: string): void;
  list(query: EntryQuery): EntryHead[];
  search(match: string, query: Omit<EntryQuery, 'prefix' | 'after'>): (Entry & { readonly score: number })[];
  /** Memories whose time is over at `nowMs`. */
  expired(nowMs: number, limit: number): EntryHead[];
  sizes(nowMs: number): { scope: string; keys: number; bytes: number }[];
  readonly versions: VersionTable;
  getMeta(name: 'head' | 'commits'): string | null;
  setMeta(name: 'head' | 'commits', value: string | null): void;
  /** Empties everything. */
  clear(): void;
}

const headColumns = 'id, scope, key, path, etag, tags, expires_ms, at_ms, actor, commit_id, seq';

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
  readonly commit_id: string | null;
  readonly seq: number;
  readonly content: Uint8Array;
}

/** Opens or makes the index file. */
export function openMemoryIndex(path: string, logger: Logger): MemoryIndex {
  const db = openIndexDb(path, logger);
  return createMemoryIndex(db);
}

/** An index in memory, for a look at a former state. */
export function createTemporaryIndex(): MemoryIndex {
  const db = new DatabaseSync(':memory:');
  db.exec(indexSchema);
  return createMemoryIndex(db);
}

function createMemoryIndex(db: DatabaseSync): MemoryIndex {
  const searchWriter = createSearchWriter(db);
  const get = db.prepare(`SELECT ${headColumns}, content FROM entries WHERE scope = ? AND key = ?`);
  const getById = db.prepare(`SELECT ${headColumns}, content FROM entries WHERE id = ?`);
  const put = db.prepare(
    `INSERT INTO entries (scope, key, path, etag, tags, expires_ms, at_ms, actor, commit_id, seq, bytes, content)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (scope, key) DO UPDATE SET path = excluded.path, etag = excluded.etag, tags = excluded.tags,
       expires_ms = excluded.expires_ms, at_ms = excluded.at_ms, actor = excluded.actor,
       commit_id = excluded.commit_id, seq = excluded.seq, bytes = excluded.bytes, content = excluded.content
     RETURNING id`,
  );
  const remove = db.prepare('DELETE FROM entries WHERE scope = ? AND key = ? RETURNING id');
  const setCommit = db.prepare('UPDATE entries SET commit_id = ? WHERE scope = ? AND key = ? AND seq = ?');
  const getMeta = db.prepare('SELECT value FROM meta WHERE name = ?');
  const setMeta = db.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');

  return {
    versions: createVersionTable(db),
    transaction(work) {
      db.exec('BEGIN IMMEDIATE');
      try {
        work();
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },
    get(scope, key) {
      const row = get.get(scope, key) as unknown as Row | undefined;
      return row && { ...toHead(row), content: row.content };
    },
    put(entry) {
      const { scope, key, path, etag, atMs, actor, commit, seq, content } = entry;
      const file = decodeMemoryFile(kindOfPath(path), content);
      const tags = JSON.stringify(file.tags);
      const expiresMs = file.expiresMs ?? null;
      const about = [scope, key, path, etag, tags, expiresMs, atMs, actor, commit, seq, content.length];
      const row = put.get(...about, content) as unknown as { id: number };
      searchWriter.put(row.id, key, file);
    },
    remove(scope, key) {
      const row = remove.get(scope, key) as unknown as { id: number } | undefined;
      if (row) searchWriter.remove(row.id);
    },
    setCommit(scope, key, seq, commit) {
      setCommit.run(commit, scope, key, seq);
    },
    list(query) {
      const { sql, parameters } = toFilter(query);
      const text = `SELECT ${headColumns} FROM entries e WHERE ${sql} ORDER BY scope, key LIMIT ?`;
      const rows = db.prepare(text).all(...parameters, query.limit) as unknown as Row[];
      return rows.map(toHead);
    },
    search(match, query) {
      return searchRows(db, match, toFilter(query), query.limit).map(({ id, score }) => {
        const row = getById.get(id) as unknown as Row;
        return { ...toHead(row), content: row.content, score };
      });
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
    setMeta(name, value) {
      setMeta.run(name, value);
    },
    clear() {
      db.exec('DELETE FROM entries; DELETE FROM versions; DELETE FROM meta; DELETE FROM search;');
    },
    [Symbol.dispose]: () => db.close(),
  };
}

/** What kind of file a path names, by its ending. */
export function kindOfPath(path: string): FileKind {
  return path.endsWith('.json') ? 'json' : 'text';
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
    commit: row.commit_id,
    seq,
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
