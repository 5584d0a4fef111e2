/** Rows whose full text is still to be made or taken away, and a fast look which of them some words may be in. */

import { isAscii } from 'node:buffer';
import type { DatabaseSync } from 'node:sqlite';
import { createMayMatch } from './may-match.ts';

/** `is_plain`: key and content are ASCII without NUL, so that SQLite can look for words in them. */
export const unindexedTable = `
  CREATE TABLE unindexed (id INTEGER PRIMARY KEY, is_plain INTEGER NOT NULL);
`;

/** What a look came to: rows that may match, newest first, and how many rows were looked at. */
export interface UnindexedMatches {
  readonly ids: readonly number[];
  readonly looked: number;
}

export interface UnindexedRows {
  /** Marks a row; a row that was removed has no content. */
  mark(id: number, row?: { readonly key: string; readonly content: Uint8Array }): void;
  unmark(id: number): void;
  oldest(limit: number): number[];
  /** Looks at the newest first, until it has found `limit` rows or `isOver`, which it asks now and then. */
  find(words: readonly string[], limit: number, isOver: () => boolean): UnindexedMatches;
}

/** Looked at between two questions whether the time is over. */
const chunkRows = 500;
/** SQLite refuses long patterns; a shorter one finds no less. */
const maxPatternLength = 100;

function isPlain(bytes: Uint8Array): boolean {
  return isAscii(bytes) && !bytes.includes(0);
}

/** Keeps the marks in a database that has `entries` too. */
export function createUnindexedRows(db: DatabaseSync): UnindexedRows {
  const mark = db.prepare('INSERT OR REPLACE INTO unindexed (id, is_plain) VALUES (?, ?)');
  const unmark = db.prepare('DELETE FROM unindexed WHERE id = ?');
  const oldest = db.prepare('SELECT id FROM unindexed ORDER BY id LIMIT ?');
  const chunk = db.prepare(
    'SELECT min(id) AS low, count(*) AS rows FROM (SELECT id FROM unindexed WHERE id < ? ORDER BY id DESC LIMIT ?)',
  );

  /** A statement over a range of ids: rows that have one of so many patterns in them, and all that are not plain. */
  function selectRows(patterns: number) {
    const has = Array.from(
      { length: patterns },
      (_, at) => ` OR e.content LIKE ?${at + 3} OR e.key LIKE ?${at + 3}`,
    );
    return db.prepare(
      `SELECT e.id AS id, e.key AS key, CASE u.is_plain WHEN 0 THEN e.content END AS content
       FROM unindexed u CROSS JOIN entries e ON e.id = u.id
       WHERE u.id >= ?1 AND u.id < ?2 AND (u.is_plain = 0${has.join('')}) ORDER BY u.id DESC`,
    );
  }

  return {
    mark(id, row) {
      const plain = row !== undefined && isPlain(row.content) && isPlain(Buffer.from(row.key));
      mark.run(id, plain ? 1 : 0);
    },
    unmark: (id) => void unmark.run(id),
    oldest: (limit) => (oldest.all(limit) as unknown as { id: number }[]).map(({ id }) => id),
    find(words, limit, isOver) {
      const mayMatch = createMayMatch(words);
      // `%` and `_` in a word match more than themselves: that only says yes too often.
      const patterns = mayMatch.beginnings
        .filter((beginning) => isPlain(Buffer.from(beginning)))
        .map((beginning) => `%${beginning.slice(0, maxPatternLength)}%`);
      const select = selectRows(patterns.length);
      const ids: number[] = [];
      let looked = 0;
      for (let high = Number.MAX_SAFE_INTEGER; ids.length < limit;) {
        const { low, rows } = chunk.get(high, chunkRows) as unknown as { low: number | null; rows: number };
        if (low === null) break;
        const found = select.all(low, high, ...patterns) as unknown as {
          id: number;
          key: string;
          content: Uint8Array | null;
        }[];
        for (const { id, key, content } of found)
          if (content === null || mayMatch(key, content)) ids.push(id);
        looked += rows;
        high = low;
        if (isOver()) break;
      }
      return { ids, looked };
    },
  };
}
