/** The rows of current values, and how many keys and bytes each scope has in them. */

import type { DatabaseSync } from 'node:sqlite';
import type { EntryInput } from './entry.ts';

/** What of an entry is read from its content. */
export interface EntryFacts {
  readonly tags: readonly string[];
  readonly expiresMs: number | null;
  /** Id of the key that it is sealed under. */
  readonly kid: string | null;
}

/** A row that was there before. */
export interface FormerRow {
  readonly id: number;
  readonly path: string;
  readonly bytes: number;
}

export interface EntryRows {
  /** Puts a value. Ids grow and never come again, so that what is still to be done for a deleted row hits no other. */
  put(entry: EntryInput, facts: EntryFacts): { readonly id: number; readonly former: FormerRow | undefined };
  remove(scope: string, key: string): FormerRow | undefined;
  /** Writes what was counted, at the end of a transaction. */
  write(): void;
  /** The transaction was given up. */
  forget(): void;
  /** All rows were deleted, `scopes` and `meta` too. */
  cleared(keepsIds: boolean): void;
}

/** SQLite would look for the row twice: an upsert that returns the id costs twice a look and a write. */
export function createEntryRows(db: DatabaseSync): EntryRows {
  const find = db.prepare('SELECT id, path, bytes FROM entries WHERE scope = ? AND key = ?');
  const insert = db.prepare(
    `INSERT INTO entries (path, etag, tags, expires_ms, at_ms, actor, seq, bytes, kid, content, id, scope, key)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = db.prepare(
    `UPDATE entries SET path = ?, etag = ?, tags = ?, expires_ms = ?, at_ms = ?, actor = ?, seq = ?, bytes = ?,
       kid = ?, content = ? WHERE id = ?`,
  );
  const remove = db.prepare('DELETE FROM entries WHERE id = ?');
  const addSize = db.prepare(
    `INSERT INTO scopes (scope, keys, bytes) VALUES (?, ?, ?)
     ON CONFLICT (scope) DO UPDATE SET keys = keys + excluded.keys, bytes = bytes + excluded.bytes`,
  );
  const readLast = db.prepare("SELECT value FROM meta WHERE name = 'lastId'");
  const writeLast = db.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('lastId', ?)");
  const growths = new Map<string, { keys: number; bytes: number }>();
  const lastWritten = (): number => Number((readLast.get() as { value: string } | undefined)?.value ?? 0);
  let writtenId = lastWritten();
  let lastId = writtenId;

  function grow(scope: string, keys: number, bytes: number): void {
    const growth = growths.get(scope);
    if (growth) {
      growth.keys += keys;
      growth.bytes += bytes;
    } else growths.set(scope, { keys, bytes });
  }

  const rowOf = (scope: string, key: string) => find.get(scope, key) as unknown as FormerRow | undefined;

  return {
    put({ scope, key, path, etag, atMs, actor, seq, content }, { tags, expiresMs, kid }) {
      const about = [path, etag, JSON.stringify(tags), expiresMs, atMs, actor, seq, content.length, kid];
      const former = rowOf(scope, key);
      grow(scope, former ? 0 : 1, content.length - (former?.bytes ?? 0));
      if (former) update.run(...about, content, former.id);
      else insert.run(...about, content, ++lastId, scope, key);
      return { id: former?.id ?? lastId, former };
    },
    remove(scope, key) {
      const former = rowOf(scope, key);
      if (!former) return undefined;
      remove.run(former.id);
      grow(scope, -1, -former.bytes);
      return former;
    },
    write() {
      for (const [scope, { keys, bytes }] of growths) addSize.run(scope, keys, bytes);
      growths.clear();
      if (lastId !== writtenId) writeLast.run(String(lastId));
      writtenId = lastId;
    },
    forget() {
      growths.clear();
      lastId = writtenId = lastWritten();
    },
    cleared(keepsIds) {
      growths.clear();
      if (!keepsIds) lastId = 0;
      writtenId = 0;
    },
  };
}
