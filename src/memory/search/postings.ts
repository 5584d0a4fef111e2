/** What the full-text index knows of words: which memories have them, how often, and how long memories are. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Field, fieldMarks } from './index-words.ts';
import type { WordForm } from './query.ts';

/** Memories with a form of a word, and how often each has it, by field. */
export interface Postings {
  /** Row id → how often in key, tags and value, packed: see `countsOf`. */
  readonly counts: ReadonlyMap<number, number>;
  /** How many memories have it; estimated when `isCut`. */
  readonly memories: number;
  /** True when there are too many: of a whole word `counts` is empty, of a beginning it holds some. */
  readonly isCut: boolean;
}

/** How often a memory has a word, by field. */
export type FieldCounts = Readonly<Record<Field, number>>;

export interface PostingsReader {
  /** The memories with a form, when there are not more than `limit`. */
  read(form: WordForm, limit: number): Postings;
  /** Row ids that an FTS5 expression matches, newest first. */
  match(expression: string, limit: number): number[];
  /** Words in each of the memories, in all fields. */
  lengthsOf(ids: readonly number[]): ReadonlyMap<number, number>;
  totals(): { readonly memories: number; readonly averageLength: number };
}

const shifts = { body: 0, tags: 16, key: 24 } as const;
/** Bounds on what long memories that repeat a word can cost. */
const placesPerMemory = 3;
const maxRepeats = 20_000;
const bodyMax = 0xffff;
const otherMax = 0x7f;

/** Unpacks a number of `Postings.counts`. */
export function countsOf(packed: number): FieldCounts {
  return {
    key: (packed >> shifts.key) & otherMax,
    tags: (packed >> shifts.tags) & otherMax,
    body: packed & bodyMax,
  };
}

/** The FTS5 expression for a form in any field. Forms are words: they hold no quotes. */
export function formExpression({ text, isPrefix }: WordForm): string {
  const star = isPrefix ? ' *' : '';
  return Object.values(fieldMarks)
    .map((mark) => `"${mark}${text}"${star}`)
    .join(' OR ');
}

/** Reads how many words a memory has in the index; undefined when it has none. */
export function createLengthReader(db: DatabaseSync): (id: number) => number | undefined {
  const length = db.prepare('SELECT sz FROM search_docsize WHERE id = ?');
  return (id) => {
    const row = length.get(id) as unknown as { sz: Uint8Array } | undefined;
    return row && (varints(row.sz)[0] ?? 0);
  };
}

/** Reads the search's tables of a database. */
export function createPostingsReader(db: DatabaseSync): PostingsReader {
  const rowArrays = (sql: string): StatementSync => {
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  };
  const exact = rowArrays('SELECT doc FROM search_words WHERE term = ? LIMIT ?');
  const range = rowArrays('SELECT doc FROM search_words WHERE term >= ? AND term < ? LIMIT ?');
  const match = rowArrays('SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid DESC LIMIT ?');
  const lengths = rowArrays(
    'SELECT d.id, d.sz FROM json_each(?) j CROSS JOIN search_docsize d ON d.id = j.value',
  );
  const nth = rowArrays('SELECT rowid FROM search WHERE search MATCH ? ORDER BY rowid LIMIT 1 OFFSET ?');
  const totals = rowArrays('SELECT memories, words FROM search_totals');
  const newest = rowArrays('SELECT max(rowid) FROM search');

  function places(term: string, isPrefix: boolean, limit: number): [number][] {
    const rows = isPrefix ? range.all(term, `${term}\u{10ffff}`, limit) : exact.all(term, limit);
    return rows as unknown as [number][];
  }

  /** The memory at a place in the list of those with a word, oldest first; asking costs a tenth of reading. */
  function memoryAt(expression: string, place: number): number | undefined {
    const row = nth.get(expression, place) as unknown as [number] | undefined;
    return row?.[0];
  }

  function missingIn(rows: readonly [number][], expression: string, limit: number): [number][] {
    const known = new Set(rows.map(([id]) => id));
    const all = match.all(expression, limit) as unknown as [number][];
    return all.filter(([id]) => !known.has(id));
  }

  function newestId(): number {
    const [id] = (newest.get() as unknown as [number | null] | undefined) ?? [0];
    return id ?? 0;
  }

  return {
    read(form, limit) {
      const { text, isPrefix } = form;
      const last = isPrefix ? undefined : memoryAt(formExpression(form), limit);
      if (last !== undefined) {
        // As far as the oldest `limit` memories reach, so many more there are up to the newest.
        const newestOf = newestId();
        const memories = Math.min(newestOf, Math.round((limit * newestOf) / Math.max(1, last)));
        return { counts: new Map(), memories, isCut: true };
      }
      const counts = new Map<number, number>();
      let isCut = false;
      for (const field of ['key', 'tags', 'body'] as const) {
        const most = isPrefix ? limit : placesPerMemory * limit + maxRepeats;
        const rows = places(fieldMarks[field] + text, isPrefix, most + 1);
        const isMore = rows.length > most;
        isCut ||= isPrefix && isMore;
        // Long memories that repeat the word: of the newer ones it is only counted that they have it.
        if (isMore && !isPrefix) rows.push(...missingIn(rows, `"${fieldMarks[field]}${text}"`, limit));
        const one = 1 << shifts[field];
        const full = (field === 'body' ? bodyMax : otherMax) << shifts[field];
        for (const [id] of rows) {
          const before = counts.get(id) ?? 0;
          if ((before & full) !== full) counts.set(id, before + one);
        }
      }
      return { counts, memories: isCut ? newestId() : counts.size, isCut };
    },
    match: (expression, limit) => (match.all(expression, limit) as unknown as [number][]).map(([id]) => id),
    lengthsOf(ids) {
      const rows = lengths.all(JSON.stringify(ids)) as unknown as [number, Uint8Array][];
      return new Map(rows.map(([id, size]) => [id, varints(size)[0] ?? 0]));
    },
    totals() {
      const [memories = 0, words = 0] = (totals.get() as unknown as [number, number] | undefined) ?? [];
      return { memories, averageLength: memories === 0 ? 1 : Math.max(1, words / memories) };
    },
  };
}

/** SQLite's variable-length integers (https://sqlite.org/fileformat2.html#varint), below 2^53. */
function varints(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(value);
    value = 0;
  }
  return numbers;
}
