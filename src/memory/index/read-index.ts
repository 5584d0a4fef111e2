/** The index through a connection of its own that cannot write, for checks beside a running coordinator. */

import { DatabaseSync } from 'node:sqlite';

/** A current value as its row has it. */
export interface IndexedValue {
  readonly id: number;
  readonly scope: string;
  readonly key: string;
  readonly path: string;
  readonly etag: string;
  /** A commit that has this content; null when none has: the write waits in the journal. */
  readonly commit: string | null;
  readonly seq: number;
}

export interface IndexSnapshot extends Disposable {
  readonly head: string | null;
  readonly commits: number;
  readonly entries: number;
  /** Sorted by the bytes of their paths. */
  values(): IterableIterator<IndexedValue>;
  valueAt(scope: string, key: string): IndexedValue | undefined;
  keyAtPath(path: string): { readonly scope: string; readonly key: string } | undefined;
  /** Every `step`th value with its bytes and tags. */
  contents(
    step: number,
  ): IterableIterator<IndexedValue & { readonly content: Uint8Array; readonly tags: string }>;
  /** Rows of the search table, values without one, and rows without a value; what is still to be made is neither. */
  searchRows(): { readonly rows: number; readonly missing: number; readonly extra: number };
  /** Values without a version of that content. */
  withoutVersion(): { readonly scope: string; readonly key: string }[];
  /** What SQLite says of the file: `ok` when all is well. */
  check(isFull: boolean): string[];
}

const columns = `id, scope, key, path, etag, seq, (SELECT commit_id FROM versions v WHERE
  v.scope = e.scope AND v.key = e.key AND v.etag = e.etag ORDER BY ordinal DESC LIMIT 1) AS "commit"`;

/** Full text is made when there is time; until then its row is not what it will be. */
const isMade = (id: string) => `${id} NOT IN (SELECT id FROM unindexed)`;

/** Opens the index as it is at this moment; it stays so until it is disposed. Throws what SQLite throws. */
export function openIndexSnapshot(path: string): IndexSnapshot {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  try {
    db.exec('BEGIN');
    return createSnapshot(db);
  } catch (error) {
    db.close();
    throw error;
  }
}

function createSnapshot(db: DatabaseSync): IndexSnapshot {
  const number = (sql: string) => (db.prepare(sql).get() as { n: number }).n;
  const meta = db.prepare('SELECT value FROM meta WHERE name = ?');
  const metaOf = (name: string) => (meta.get(name) as { value: string | null } | undefined)?.value ?? null;
  const valueAt = db.prepare(`SELECT ${columns} FROM entries e WHERE scope = ? AND key = ?`);
  const keyAtPath = db.prepare(
    'SELECT scope, key FROM versions WHERE path = ? ORDER BY ordinal DESC LIMIT 1',
  );
  return {
    head: metaOf('head'),
    commits: Number(metaOf('commits') ?? 0),
    entries: number('SELECT count(*) AS n FROM entries'),
    values: () =>
      db.prepare(`SELECT ${columns} FROM entries e ORDER BY path`).iterate() as IterableIterator<never>,
    valueAt: (scope, key) => valueAt.get(scope, key) as IndexedValue | undefined,
    keyAtPath: (path) => keyAtPath.get(path) as { scope: string; key: string } | undefined,
    contents: (step) =>
      db
        .prepare(`SELECT ${columns}, content, tags FROM entries e WHERE id % ? = 0`)
        .iterate(step) as IterableIterator<never>,
    searchRows: () => ({
      rows: number('SELECT count(*) AS n FROM search'),
      missing: number(
        `SELECT count(*) AS n FROM entries WHERE kid IS NULL AND id NOT IN (SELECT rowid FROM search) AND ${isMade('id')}`,
      ),
      extra: number(
        `SELECT count(*) AS n FROM search WHERE rowid NOT IN (SELECT id FROM entries) AND ${isMade('rowid')}`,
      ),
    }),
    withoutVersion: () =>
      db
        .prepare(
          `SELECT scope, key FROM entries e WHERE NOT EXISTS
             (SELECT 1 FROM versions v WHERE v.scope = e.scope AND v.key = e.key AND v.etag = e.etag)`,
        )
        .all() as { scope: string; key: string }[],
    check: (isFull) =>
      (
        db.prepare(isFull ? 'PRAGMA integrity_check(20)' : 'PRAGMA quick_check(20)').all() as Record<
          string,
          string
        >[]
      ).map((row) => Object.values(row)[0] ?? ''),
    [Symbol.dispose]: () => db.close(),
  };
}
