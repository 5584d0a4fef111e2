import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMayMatch } from './may-match.ts';
import { parseQuery } from './query.ts';
import { createUnindexedRows, unindexedTable } from './unindexed-rows.ts';

interface Row {
  readonly key: string;
  readonly text: string;
}

function rowsWith(rows: readonly Row[]) {
  const db = new DatabaseSync(':memory:');
  db.exec(
    `CREATE TABLE entries (id INTEGER PRIMARY KEY, key TEXT NOT NULL, content BLOB NOT NULL); ${unindexedTable}`,
  );
  const add = db.prepare('INSERT INTO entries VALUES (?, ?, ?)');
  const unindexed = createUnindexedRows(db);
  for (const [at, { key, text }] of rows.entries()) {
    const content = Buffer.from(text);
    add.run(at + 1, key, content);
    unindexed.mark(at + 1, { key, content });
  }
  return unindexed;
}

const never = () => false;
const numbered = (count: number, text: string): Row[] =>
  Array.from({ length: count }, (_, at) => ({ key: `k${at}`, text }));

test.each([
  ['plain text, whatever its case', 'apollo', { key: 'a', text: 'Project APOLLO' }],
  ['the key', 'apollo', { key: 'projects/Apollo', text: 'x' }],
  ['text with accents', 'cafe', { key: 'a', text: 'Café au lait' }],
  ['text without the accents of the query', 'café', { key: 'a', text: 'cafe au lait' }],
  ['Thai', 'ประชุม', { key: 'a', text: 'นัดประชุมวันจันทร์' }],
  ['what comes after a NUL', 'apollo', { key: 'a', text: 'x\0apollo' }],
])('finds %s', (_, query, row) => {
  const words = parseQuery(query)!.words.map(({ word }) => word);
  expect(rowsWith([{ key: 'other', text: 'other' }, row]).find(words, 10, never).ids).toEqual([2]);
});

test('finds all that a look at each row finds, newest first', () => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('a%b', 'A_b', '100% sure', 'x\\y', 'ก'),
  );
  fc.assert(
    fc.property(fc.array(fc.record({ key: text, text }), { maxLength: 12 }), text, (rows, query) => {
      const safe = rows.map((row) => ({
        key: row.key.toWellFormed().replaceAll('\0', ''),
        text: row.text.toWellFormed(),
      }));
      const words = parseQuery(query)?.words.map(({ word }) => word) ?? [];
      fc.pre(words.length > 0);
      const mayMatch = createMayMatch(words);
      const wanted = safe.flatMap((row, at) => (mayMatch(row.key, Buffer.from(row.text)) ? [at + 1] : []));
      const { ids, looked } = rowsWith(safe).find(words, 100, never);
      expect(ids).toEqual(ids.toSorted((a, b) => b - a));
      expect(ids).toEqual(expect.arrayContaining(wanted));
      expect(looked).toBe(safe.length);
    }),
  );
});

test('looks at the newest first, until it has enough or the time is over', () => {
  const unindexed = rowsWith([...numbered(600, 'apollo'), ...numbered(500, 'gemini')]);
  expect(unindexed.find(['apollo'], 10, () => true)).toEqual({ ids: [], looked: 500 });
  const { ids, looked } = unindexed.find(['apollo'], 10, never);
  expect(looked).toBe(1000);
  expect(ids[0]).toBe(600);
  expect(ids.length).toBeGreaterThanOrEqual(10);
});

test('a row without content is waited for and never found', () => {
  const unindexed = rowsWith([{ key: 'a', text: 'apollo' }]);
  unindexed.mark(7);
  expect(unindexed.oldest(10)).toEqual([1, 7]);
  expect(unindexed.find(['apollo'], 10, never)).toEqual({ ids: [1], looked: 2 });
  unindexed.unmark(1);
  expect(unindexed.oldest(10)).toEqual([7]);
});

test('takes a pattern that SQLite would refuse, and a query of nothing that it can look for', () => {
  const long = 'x'.repeat(60_000);
  const unindexed = rowsWith([
    { key: 'a', text: `${long}ก` },
    { key: 'b', text: long },
  ]);
  expect(unindexed.find([`9${long}`.slice(1)], 10, never).ids).toEqual([2, 1]);
  expect(unindexed.find(['ก'], 10, never).ids).toEqual([1]);
});
