/** The full-text index: one line of words a memory (`index-words.ts`) in FTS5, beside it who belongs to which thread. */

import type { DatabaseSync } from 'node:sqlite';
import { clearVectors, createVectorWriter, vectorTables } from '../embeddings/vector-table.ts';
import type { MemoryFile } from '../files/memory-file.ts';
import { createIndexWords } from './index-words.ts';
import { createLengthReader } from './postings.ts';

/**
 * Words come cut, folded and stemmed, so the tokenizer only splits at spaces. The text itself is not kept, and a
 * deleted row is only marked: an update costs little more than an insert. Marked rows are merged away when they
 * are half of a segment (`deletemerge`). FTS5's own totals go on counting them, so we count ourselves: a ranking
 * must not change with a rebuild. `search_words` lists the places of a word; ranking reads it, as the
 * rank of FTS5 visits every memory with the word.
 */
export const searchTable = `
  CREATE VIRTUAL TABLE search USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = 'ascii'
  );
  INSERT INTO search (search, rank) VALUES ('deletemerge', 50), ('automerge', 8);
  CREATE VIRTUAL TABLE search_words USING fts5vocab (search, instance);
  CREATE TABLE search_totals (memories INTEGER NOT NULL, words INTEGER NOT NULL);
  INSERT INTO search_totals VALUES (0, 0);
  CREATE TABLE threads (
    entry_id INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    thread TEXT NOT NULL,
    sequence INTEGER
  );
  CREATE INDEX threads_place ON threads (scope, thread, sequence);
  ${vectorTables}
`;

/** What empties the tables of the search; deleting rows would leave their words in the file. */
export const clearSearch = `INSERT INTO search (search) VALUES ('delete-all'); UPDATE search_totals SET memories = 0, words = 0; DELETE FROM threads; ${clearVectors}`;

/** Columns of a query on `entries` that come from the search's tables. */
export const threadColumns = `
  (SELECT thread FROM threads WHERE entry_id = id) AS thread,
  (SELECT sequence FROM threads WHERE entry_id = id) AS sequence`;

export interface SearchWriter {
  /** Keeps the place of a memory in its thread, in place of what was there. */
  putThread(rowId: number, scope: string, file: MemoryFile, isNew: boolean): void;
  /** Indexes a memory under a row id, in place of what was there. */
  put(rowId: number, place: { readonly scope: string; readonly key: string }, file: MemoryFile): void;
  remove(rowId: number): void;
}

/** Writes into the search's tables of a database. */
export function createSearchWriter(db: DatabaseSync): SearchWriter {
  const put = db.prepare('INSERT OR REPLACE INTO search (rowid, words) VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM search WHERE rowid = ?');
  const lengthOf = createLengthReader(db);
  const count = db.prepare('UPDATE search_totals SET memories = memories + ?, words = words + ?');
  const putThread = db.prepare(
    'INSERT OR REPLACE INTO threads (entry_id, scope, thread, sequence) VALUES (?, ?, ?, ?)',
  );
  const removeThread = db.prepare('DELETE FROM threads WHERE entry_id = ?');
  const indexWords = createIndexWords();
  const vectors = createVectorWriter(db);
  return {
    put(rowId, { scope, key }, file) {
      const before = lengthOf(rowId);
      put.run(rowId, indexWords(scope, key, file));
      count.run(before === undefined ? 1 : 0, (lengthOf(rowId) ?? 0) - (before ?? 0));
      vectors.changed(rowId);
    },
    putThread(rowId, scope, { thread, sequence }, isNew) {
      if (thread === undefined && !isNew) removeThread.run(rowId);
      if (thread !== undefined) putThread.run(rowId, scope, thread, sequence ?? null);
    },
    remove(rowId) {
      const before = lengthOf(rowId);
      remove.run(rowId);
      if (before !== undefined) count.run(-1, -before);
      removeThread.run(rowId);
      vectors.removed(rowId);
    },
  };
}
