/** Reads current values, versions, links and full text of an index; reads are synchronous and short. */

import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { type ChangeReader, createChangeReader } from '../changes/change-table.ts';
import { type VectorTable, createVectorTable } from '../embeddings/vector-table.ts';
import type { FileCodec } from '../encryption/file-codec.ts';
import { type LinkTable, createLinkTable } from '../links/link-table.ts';
import { type SearchReader, createSearchReader } from '../search/search-reader.ts';
import { threadColumns } from '../search/search-table.ts';
import type { Entry, EntryHead, EntryQuery, SealedChange } from './entry.ts';
import { openIndexForReading } from './open-index-db.ts';
import { type ReadTurn, createReadTurn, noReadTurn } from './read-turn.ts';
import { type VersionTable, createVersionTable } from './version-table.ts';

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
  /** Changes of sealed entries after a number, oldest first, at most `limit`. */
  sealedAfter(change: number, limit: number): SealedChange[];
  /** Sealed entries under keys for which `isMeant` holds, in the order of scopes and keys. */
  sealedUnder(isMeant: (kid: string) => boolean): EntryHead[];
  /** From now on reads see what was written up to now. */
  refresh(): void;
}

const headColumns = 'id, scope, key, path, etag, tags, expires_ms, at_ms, actor, seq, kid';
/** Tags and threads of sealed entries are in their content alone. */
const sealedContent = 'CASE WHEN kid IS NULL THEN NULL ELSE content END AS content';

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
  readonly kid: string | null;
  readonly content: Uint8Array;
  readonly thread?: string | null;
  readonly sequence?: number | null;
}

/**
 * Opens the index file for reading; a writer must have made it. The codec opens what is sealed. With `perTurn` a turn
 * of the event loop sees one state, and whoever hears of a newer one calls `refresh`.
 */
export function openIndexReader(path: string, codec: FileCodec, { perTurn = false } = {}): IndexReader {
  const db = openIndexForReading(path);
  return createIndexReader(db, codec, perTurn ? createReadTurn(db) : noReadTurn);
}

/** A reader over an open database. */
export function createIndexReader(
  db: DatabaseSync,
  codec: FileCodec,
  turn: ReadTurn = noReadTurn,
): IndexReader {
  const sealedAfter = db.prepare(
    `SELECT s.change AS change, s.entry_id AS entry_id, e.* FROM sealed s
     LEFT JOIN entries e ON e.id = s.entry_id WHERE s.change > ? ORDER BY s.change LIMIT ?`,
  );
  const allSealed = db.prepare(
    `SELECT ${headColumns} FROM sealed s JOIN entries ON id = entry_id WHERE kid IS NOT NULL ORDER BY scope, key`,
  );
  const get = db.prepare(`SELECT ${headColumns}, content FROM entries WHERE scope = ? AND key = ?`);
  const getMeta = db.prepare('SELECT value FROM meta WHERE name = ?');
  const filesIn = db.prepare('SELECT files FROM folders WHERE path = ?');
  const countUnindexed = db.prepare('SELECT count(*) AS n FROM unindexed');

  return {
    versions: createVersionTable(db, turn),
    feed: createChangeReader(db),
    search: createSearchReader(db, turn),
    vectors: createVectorTable(db),
    links: createLinkTable(db),
    get(scope, key) {
      turn.begin();
      const row = get.get(scope, key) as unknown as Row | undefined;
      return row && { ...toHead(row), content: row.content };
    },
    list(query) {
      const { sql, parameters } = toFilter(query);
      const columns = `${headColumns}, ${threadColumns}, ${sealedContent}`;
      const text = `SELECT ${columns} FROM entries e WHERE ${sql} ORDER BY scope, key`;
      const heads: EntryHead[] = [];
      for (const row of db.prepare(text).iterate(...parameters) as unknown as Iterable<Row>) {
        const head = row.kid === null ? toHead(row) : openHead(row, codec);
        if (row.kid !== null && query.tags?.some((tag) => !head.tags.includes(tag)) === true) continue;
        heads.push(head);
        if (heads.length >= query.limit) break;
      }
      return heads;
    },
    expired(nowMs, limit) {
      const text = `SELECT ${headColumns} FROM entries WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?`;
      return (db.prepare(text).all(nowMs, limit) as unknown as Row[]).map(toHead);
    },
    sizes(nowMs) {
      const text = `WITH over AS (
          SELECT scope, count(*) AS keys, sum(bytes) AS bytes FROM entries WHERE expires_ms <= ? GROUP BY scope
        ), present AS (
          SELECT s.scope, s.keys - coalesce(o.keys, 0) AS keys, s.bytes - coalesce(o.bytes, 0) AS bytes
          FROM scopes s LEFT JOIN over o ON o.scope = s.scope
        ) SELECT * FROM present WHERE keys > 0 ORDER BY scope`;
      const rows = db.prepare(text).all(nowMs) as unknown as { scope: string; keys: number; bytes: number }[];
      return rows.map((row) => ({ ...row }));
    },
    getMeta: (name) => (getMeta.get(name) as { value: string | null } | undefined)?.value ?? null,
    filesIn(folder) {
      turn.begin();
      return (filesIn.get(folder) as { files: number } | undefined)?.files ?? 0;
    },
    get unindexedCount() {
      return (countUnindexed.get() as unknown as { n: number }).n;
    },
    sealedAfter(after, limit) {
      const rows = sealedAfter.all(after, limit) as unknown as (Row & { change: number; entry_id: number })[];
      return rows.map((row) => ({
        change: row.change,
        entryId: row.entry_id,
        entry: row.kid ? { ...toHead(row), content: row.content } : undefined,
      }));
    },
    sealedUnder(isMeant) {
      const rows = allSealed.all() as unknown as Row[];
      return rows.filter(({ kid }) => kid !== null && isMeant(kid)).map(toHead);
    },
    refresh: () => turn.end(),
    [Symbol.dispose]: () => db.close(),
  };
}

/** A sealed row with what its content tells; without the key nothing. */
function openHead(row: Row, codec: FileCodec): EntryHead {
  const { file } = codec.inspect(row.scope, row.path, row.content);
  return { ...toHead(row), tags: file?.tags ?? [], thread: file?.thread, sequence: file?.sequence };
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
    add('(e.kid IS NOT NULL OR EXISTS (SELECT 1 FROM json_each(e.tags) WHERE json_each.value = ?))', tag);
  }
  return { sql: parts.join(' AND '), parameters };
}
