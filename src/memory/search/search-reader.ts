/** Reads the search's tables of a database: ranked rows that pass a filter, their memories, their threads. */

import type { DatabaseSync } from 'node:sqlite';
import { createReadFresh } from './fresh-text.ts';
import { joinPostings } from './join-postings.ts';
import { type ReadTurn, noReadTurn } from '../index/read-turn.ts';
import { createPostingsReader } from './postings.ts';
import type { ParsedQuery } from './query.ts';
import { type WordScore, rankWords } from './rank-words.ts';
import { type SearchFilter, filterSql, narrowingOf, phraseExpression, withoutOf } from './search-filter.ts';

/** A memory that passed the filter, with what ranking asks of it. */
export interface FoundRow {
  readonly id: number;
  readonly scope: string;
  readonly atMs: number;
  readonly thread: string | null;
  readonly sequence: number | null;
  /** BM25 score; 0 for a row that no word brought. */
  readonly score: number;
  readonly words: readonly WordScore[];
}

/** A memory as a hit shows it. */
export interface FoundMemory {
  readonly scope: string;
  readonly key: string;
  readonly path: string;
  readonly etag: string;
  readonly tags: readonly string[];
  readonly atMs: number;
  readonly content: Uint8Array;
}

/** Rows found by words. */
export interface FoundRows {
  /** Best first. */
  readonly rows: readonly FoundRow[];
  /** Very common words of which only the newest memories were looked at. */
  readonly bounded: readonly string[];
  /** True when the filter left fewer rows than asked for, and not all with these words were looked at. */
  readonly isCut: boolean;
  /** Values without full text that there was no time to look at. */
  readonly left: number;
}

export interface SearchReader {
  /**
   * The best rows for a query, at most `limit`; none of them has one of the texts of `without`. Values whose full text
   * is still to be made are found too.
   */
  find(query: ParsedQuery, filter: SearchFilter, without: readonly string[], limit: number): FoundRows;
  /** Those of the rows that pass a filter, in no order. */
  rowsOf(ids: readonly number[], filter: SearchFilter): FoundRow[];
  /** Rows of a thread from one place to another. */
  threadRows(scope: string, thread: string, fromSequence: number, toSequence: number): number[];
  /** Row ids of all that passes a filter, at most `limit`. */
  idsOf(filter: SearchFilter, limit: number): number[];
  memoryOf(id: number): FoundMemory | undefined;
}

const chunkRows = 300;
const none: ReadonlySet<number> = new Set();

/** A reader over the tables of the index; a search and its hits are of one moment, as far as turns go. */
export function createSearchReader(db: DatabaseSync, turn: ReadTurn = noReadTurn): SearchReader {
  const postings = createPostingsReader(db);
  const readFresh = createReadFresh(db);
  const memoryOf = db.prepare(
    'SELECT scope, key, path, etag, tags, at_ms, content FROM entries WHERE id = ?',
  );
  const threadRows = db.prepare(
    'SELECT entry_id FROM threads WHERE scope = ? AND thread = ? AND sequence BETWEEN ? AND ?',
  );

  /** Without rows whose full text is out of date, `fresh` ones aside. */
  function rowsOf(ids: readonly number[], filter: SearchFilter, fresh: ReadonlySet<number>): FoundRow[] {
    turn.begin();
    const { sql, parameters } = filterSql(filter);
    const rows = db
      .prepare(
        `SELECT e.id AS id, e.scope AS scope, e.at_ms AS atMs, t.thread AS thread, t.sequence AS sequence
         FROM json_each(?) j CROSS JOIN entries e ON e.id = j.value LEFT JOIN threads t ON t.entry_id = e.id
         WHERE ${sql} AND (e.id NOT IN (SELECT id FROM unindexed) OR e.id IN (SELECT value FROM json_each(?)))`,
      )
      .all(
        JSON.stringify(ids),
        ...parameters,
        JSON.stringify(ids.filter((id) => fresh.has(id))),
      ) as unknown as Omit<FoundRow, 'score' | 'words'>[];
    return rows.map((row) => ({ ...row, score: 0, words: [] }));
  }

  return {
    rowsOf: (ids, filter) => rowsOf(ids, filter, none),
    find(query, filter, without, limit) {
      turn.begin();
      const phrases = query.phrases.flatMap((words) => phraseExpression(words) ?? []);
      const narrowing = { narrow: narrowingOf(filter), without: withoutOf(without), phrases };
      const fresh = readFresh(
        query.words.map(({ word }) => word),
        filter,
      );
      const reader = fresh ? joinPostings(postings, fresh) : postings;
      const { rows, candidates, bounded } = rankWords(reader, query, narrowing);
      const found: FoundRow[] = [];
      for (let at = 0; at < rows.length && found.length < limit; at += chunkRows) {
        const chunk = rows.slice(at, at + chunkRows);
        const passed = new Map(
          rowsOf(
            chunk.map(({ id }) => id),
            filter,
            fresh?.ids ?? none,
          ).map((row) => [row.id, row]),
        );
        for (const { id, score, words } of chunk) {
          const row = passed.get(id);
          if (row) found.push({ ...row, score, words });
        }
      }
      const isCut = found.length < limit && candidates > rows.length;
      return {
        rows: found.slice(0, limit),
        bounded: fresh ? [...new Set([...bounded, ...fresh.bounded])] : bounded,
        isCut,
        left: fresh?.left ?? 0,
      };
    },
    threadRows(scope, thread, fromSequence, toSequence) {
      const rows = threadRows.all(scope, thread, fromSequence, toSequence);
      return (rows as unknown as { entry_id: number }[]).map((row) => row.entry_id);
    },
    idsOf(filter, limit) {
      const { sql, parameters } = filterSql(filter);
      const rows = db
        .prepare(`SELECT e.id AS id FROM entries e WHERE ${sql} LIMIT ?`)
        .all(...parameters, limit);
      return (rows as unknown as { id: number }[]).map(({ id }) => id);
    },
    memoryOf(id) {
      turn.begin();
      const row = memoryOf.get(id) as unknown as
        | (Omit<FoundMemory, 'tags' | 'atMs'> & { tags: string; at_ms: number })
        | undefined;
      if (!row) return undefined;
      const { scope, key, path, etag, content } = row;
      return { scope, key, path, etag, content, tags: JSON.parse(row.tags) as string[], atMs: row.at_ms };
    },
  };
}
