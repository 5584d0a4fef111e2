/**
 * Full text in FTS5. Words come segmented; beside them the stems of English words, so that a search for
 * "decision" finds "decisions" while a prefix still matches what was written.
 */

import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { MemoryFile } from '../files/memory-file.ts';
import { segmentText, stemsOf } from './segment.ts';

/**
 * Marks are part of a word, else Thai vowels and tones would cut it. The table keeps its own copy of the
 * words: without one, FTS5 goes on counting deleted rows in its ranking.
 */
export const searchTable = `
  CREATE VIRTUAL TABLE search USING fts5 (
    key, tags, body, stems,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"
  );
`;

const maxBodyLength = 256 * 1024;

export interface SearchWriter {
  /** Indexes a memory under a row id, in place of what was there. */
  put(rowId: number, key: string, file: MemoryFile): void;
  remove(rowId: number): void;
}

/** Writes into the `search` table of a database. */
export function createSearchWriter(db: DatabaseSync): SearchWriter {
  const put = db.prepare(
    'INSERT OR REPLACE INTO search (rowid, key, tags, body, stems) VALUES (?, ?, ?, ?, ?)',
  );
  const remove = db.prepare('DELETE FROM search WHERE rowid = ?');
  return {
    put(rowId, key, file) {
      const words = segmentText(key);
      const tags = segmentText(file.tags.join(' '));
      const body = segmentText(textOf(file.value).slice(0, maxBodyLength));
      const stems = stemsOf(`${words} ${tags} ${body}`).join(' ');
      put.run(rowId, words, tags, body, stems);
    },
    remove(rowId) {
      remove.run(rowId);
    },
  };
}

/** A condition on memories as SQL, for joining with the `search` table. */
export interface SearchFilter {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
}

/** Row ids and scores (higher is better) of the best matches; `entries` must have the same row ids. */
export function searchRows(
  db: DatabaseSync,
  match: string,
  filter: SearchFilter,
  limit: number,
): { id: number; score: number }[] {
  const rows = db
    .prepare(
      `SELECT e.id AS id, bm25(search, 4.0, 3.0, 1.0, 0.5) AS rank
       FROM search JOIN entries e ON e.id = search.rowid
       WHERE search MATCH ? AND ${filter.sql} ORDER BY rank, e.id LIMIT ?`,
    )
    .all(match, ...filter.parameters, limit) as unknown as { id: number; rank: number }[];
  return rows.map((row) => ({ id: row.id, score: Number((-row.rank).toPrecision(6)) }));
}

/** All words of a value: text as it is, of JSON the field names and the leaves. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const parts: string[] = [];
  const walk = (part: unknown): void => {
    if (Array.isArray(part)) for (const item of part) walk(item);
    else if (typeof part === 'object' && part !== null) {
      for (const [name, field] of Object.entries(part)) {
        parts.push(`${name}:`);
        walk(field);
      }
    } else if (part !== null) parts.push(typeof part === 'string' ? part : JSON.stringify(part));
  };
  walk(value);
  return parts.join(' ');
}
