/**
 * Full text of values that have none yet, made in memory for the search that asks for them: what was acknowledged is
 * found at once, and however much waits for its full text, no search writes into the index.
 */

import { DatabaseSync } from 'node:sqlite';
import { keylessCodec } from '../encryption/file-codec.ts';
import { type PostingsReader, createPostingsReader } from './postings.ts';
import type { SearchFilter } from './search-filter.ts';
import { clearSearch, createSearchWriter, searchTable } from './search-table.ts';
import { type UnindexedMatch, createFindUnindexed } from './unindexed-rows.ts';

/** What a search has beside the index. */
export interface Fresh {
  /** Rows whose text is here; what the index has of them is out of date. */
  readonly ids: ReadonlySet<number>;
  /** Has the text of all these rows, and may have that of others. */
  readonly postings: PostingsReader;
  /** Words in so many rows that only the newest of these are here. */
  readonly bounded: readonly string[];
  /** Rows that there was no time to look at. */
  readonly left: number;
}

/** For the words of a query, at the moment that the database shows; undefined when nothing waits. */
export type ReadFresh = (words: readonly string[], filter: SearchFilter) => Fresh | undefined;

/** A look takes some 4 µs a value of 1 KB. */
const maxLookMs = 2000;
/** Rows with one of the words, and such with all of them, that are given full text; some 80 µs each. */
const maxPerWord = 200;
/** Texts that are kept for the next search. */
const maxKept = 5000;

/** Reads what waits in a database that has the tables of the index. */
export function createReadFresh(db: DatabaseSync): ReadFresh {
  const waits = db.prepare('SELECT 1 FROM unindexed LIMIT 1');
  const find = createFindUnindexed(db);
  const rowOf = db.prepare('SELECT scope, key, path, etag, content FROM entries WHERE id = ?');
  let texts: Texts | undefined;

  /** False for a row that has no text: one that is sealed. */
  function take(id: number, kept: Texts): boolean {
    const row = rowOf.get(id) as unknown as Row | undefined;
    if (!row) return false;
    const stamp = `${row.scope}\0${row.key}\0${row.etag}`;
    if (kept.stamps.get(id) === stamp) return true;
    const { file } = keylessCodec.inspect(row.scope, row.path, row.content);
    if (!file) return false;
    kept.writer.put(id, row, file);
    kept.stamps.set(id, stamp);
    return true;
  }

  return (words, filter) => {
    if (words.length === 0) return undefined;
    if (!waits.get()) {
      texts?.db.close();
      texts = undefined;
      return undefined;
    }
    const endMs = performance.now() + maxLookMs;
    const { rows, left } = find(words, filter, () => performance.now() >= endMs);
    const { chosen, bounded } = choose(rows, words);
    texts ??= createTexts();
    if (texts.stamps.size > maxKept) texts.clear();
    const kept = texts;
    kept.db.exec('BEGIN');
    const ids = new Set([...chosen].filter((id) => take(id, kept)));
    kept.db.exec('COMMIT');
    return { ids, postings: kept.postings, bounded, left };
  };
}

interface Row {
  readonly scope: string;
  readonly key: string;
  readonly path: string;
  readonly etag: string;
  readonly content: Uint8Array;
}

interface Texts {
  readonly db: DatabaseSync;
  readonly writer: ReturnType<typeof createSearchWriter>;
  readonly postings: PostingsReader;
  /** What the text of a row was made of. */
  readonly stamps: Map<number, string>;
  clear(): void;
}

function createTexts(): Texts {
  const db = new DatabaseSync(':memory:');
  db.exec(searchTable);
  const stamps = new Map<number, string>();
  return {
    db,
    writer: createSearchWriter(db),
    postings: createPostingsReader(db),
    stamps,
    clear() {
      db.exec(clearSearch);
      stamps.clear();
    },
  };
}

/** Of each word the newest rows, and the newest that have them all; as a rule that is every row. */
function choose(
  rows: readonly UnindexedMatch[],
  words: readonly string[],
): { readonly chosen: ReadonlySet<number>; readonly bounded: readonly string[] } {
  const chosen = new Set<number>();
  const bounded: string[] = [];
  const newest = (has: (bits: number) => boolean): boolean => {
    let count = 0;
    for (const { id, bits } of rows) {
      if (!has(bits)) continue;
      if (count === maxPerWord) return false;
      count += 1;
      chosen.add(id);
    }
    return true;
  };
  const all = words.reduce((bits, _, at) => bits | (1 << at), 0);
  newest((bits) => (bits & all) === all);
  for (const [at, word] of words.entries())
    if (!newest((bits) => (bits & (1 << at)) !== 0)) bounded.push(word);
  return { chosen, bounded };
}
