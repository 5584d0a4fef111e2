/** Rows whose full text is still to be made or taken away, and a fast look which of them some words may be in. */

import { isAscii } from 'node:buffer';
import type { DatabaseSync } from 'node:sqlite';
import { createMayMatch } from './may-match.ts';
import { type SearchFilter, filterSql } from './search-filter.ts';

/** `is_plain`: key and content are ASCII without NUL, so that SQLite can look for words in them. */
export const unindexedTable = `
  CREATE TABLE unindexed (id INTEGER PRIMARY KEY, is_plain INTEGER NOT NULL);
`;

/** The marks, as the one writer sees them. */
export interface UnindexedRows {
  /** Marks a row; a row that was removed has no content. */
  mark(id: number, row?: { readonly key: string; readonly content: Uint8Array }): void;
  unmark(id: number): void;
  oldest(limit: number): number[];
}

/** A row that passes the filter and may hold some of the words: one bit for each, the first the lowest. */
export interface UnindexedMatch {
  readonly id: number;
  readonly bits: number;
}

/** What a look came to. */
export interface UnindexedMatches {
  /** Newest first. */
  readonly rows: readonly UnindexedMatch[];
  /** Rows that there was no time for. */
  readonly left: number;
}

/** Looks at marked rows, the newest first, until `isOver`, which it asks now and then. */
export type FindUnindexed = (
  words: readonly string[],
  filter: SearchFilter,
  isOver: () => boolean,
) => UnindexedMatches;

/** Looked at between two questions whether the time is over. */
const chunkRows = 1000;
/** SQLite refuses long patterns; a shorter one finds no less. */
const maxPatternLength = 100;

function isPlain(bytes: Uint8Array): boolean {
  return isAscii(bytes) && !bytes.includes(0);
}

/** Keeps the marks in a database. */
export function createUnindexedRows(db: DatabaseSync): UnindexedRows {
  const mark = db.prepare('INSERT OR REPLACE INTO unindexed (id, is_plain) VALUES (?, ?)');
  const unmark = db.prepare('DELETE FROM unindexed WHERE id = ?');
  const oldest = db.prepare('SELECT id FROM unindexed ORDER BY id LIMIT ?');
  return {
    mark(id, row) {
      const plain = row !== undefined && isPlain(row.content) && isPlain(Buffer.from(row.key));
      mark.run(id, plain ? 1 : 0);
    },
    unmark: (id) => void unmark.run(id),
    oldest: (limit) => (oldest.all(limit) as unknown as { id: number }[]).map(({ id }) => id),
  };
}

/** A look at the marked rows of a database that has `entries` too. */
export function createFindUnindexed(db: DatabaseSync): FindUnindexed {
  const chunk = db.prepare(
    'SELECT min(id) AS low, count(*) AS rows FROM (SELECT id FROM unindexed WHERE id < ? ORDER BY id DESC LIMIT ?)',
  );
  const countBelow = db.prepare('SELECT count(*) AS n FROM unindexed WHERE id < ?');

  return (words, filter, isOver) => {
    const mayMatch = createMayMatch(words);
    const { sql, parameters } = filterSql(filter);
    const { text, patterns } = lookFor(mayMatch.beginnings, sql);
    const select = db.prepare(text);
    const rows: UnindexedMatch[] = [];
    for (let high = Number.MAX_SAFE_INTEGER; ;) {
      const { low, rows: count } = chunk.get(high, chunkRows) as unknown as {
        low: number | null;
        rows: number;
      };
      if (low === null) return { rows, left: 0 };
      const found = select.all(low, high, ...patterns, ...parameters) as unknown as FoundRow[];
      for (const { id, bits, key, content } of found) {
        const looked = content === null ? bits : mayMatch(key, content);
        if (looked !== 0) rows.push({ id, bits: looked });
      }
      high = low;
      if (count < chunkRows) return { rows, left: 0 };
      if (isOver()) return { rows, left: (countBelow.get(low) as unknown as { n: number }).n };
    }
  };
}

interface FoundRow {
  readonly id: number;
  readonly bits: number;
  readonly key: string;
  /** Only of a row that SQLite cannot look into. */
  readonly content: Uint8Array | null;
}

/** A query over a range of ids: plain rows with their bits, and all rows that are not plain. */
function lookFor(
  beginnings: readonly string[],
  filter: string,
): { readonly text: string; readonly patterns: readonly string[] } {
  // `%` and `_` in a word match more than themselves: that only says yes too often.
  const looks = beginnings.flatMap((beginning, bit) =>
    isPlain(Buffer.from(beginning)) ? [{ bit, pattern: `%${beginning.slice(0, maxPatternLength)}%` }] : [],
  );
  const has = looks.map((_, at) => `(e.content LIKE ?${at + 3} OR e.key LIKE ?${at + 3})`);
  const bits = looks.map(({ bit }, at) => `(${has[at]} << ${bit})`);
  return {
    text: `SELECT e.id AS id, ${bits.join(' | ') || '0'} AS bits, e.key AS key,
        CASE u.is_plain WHEN 0 THEN e.content END AS content
      FROM unindexed u CROSS JOIN entries e ON e.id = u.id
      WHERE u.id >= ?1 AND u.id < ?2 AND (${['u.is_plain = 0', ...has].join(' OR ')}) AND ${filter}
      ORDER BY u.id DESC`,
    patterns: looks.map(({ pattern }) => pattern),
  };
}
