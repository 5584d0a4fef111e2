import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMayMatch } from './may-match.ts';
import { parseQuery } from './query.ts';
import {
  type UnindexedMatches,
  createFindUnindexed,
  createUnindexedRows,
  unindexedTable,
} from './unindexed-rows.ts';

const never = () => false;

interface Row {
  readonly key: string;
  readonly text: string;
  readonly scope?: string;
}

function rowsWith(rows: readonly Row[]) {
  const db = new DatabaseSync(':memory:');
  db.exec(
    `CREATE TABLE entries (id INTEGER PRIMARY KEY, scope TEXT, key TEXT NOT NULL, content BLOB NOT NULL, expires_ms INTEGER); ${unindexedTable}`,
  );
  const add = db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, NULL)');
  const unindexed = createUnindexedRows(db);
  for (const [at, { key, text, scope = 'shared' }] of rows.entries()) {
    const content = Buffer.from(text);
    add.run(at + 1, scope, key, content);
    unindexed.mark(at + 1, { key, content });
  }
  const find = createFindUnindexed(db);
  return {
    ...unindexed,
    find: (words: readonly string[], isOver = never, scope?: string) =>
      find(words, { nowMs: 0, scopes: scope === undefined ? undefined : [scope] }, isOver),
  };
}

const idsOf = ({ rows }: UnindexedMatches) => rows.map(({ id }) => id);

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
  expect(idsOf(rowsWith([{ key: 'other', text: 'other' }, row]).find(words))).toEqual([2]);
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
      const wanted = safe.map((row) => mayMatch(row.key, Buffer.from(row.text)));
      const { rows: found, left } = rowsWith(safe).find(words);
      expect(found).toEqual(found.toSorted((a, b) => b.id - a.id));
      for (const [at, bits] of wanted.entries()) {
        const { bits: seen = 0 } = found.find(({ id }) => id === at + 1) ?? {};
        expect(seen & bits).toBe(bits);
      }
      expect(left).toBe(0);
    }),
  );
});

test('looks at the newest first, until the time is over', () => {
  const unindexed = rowsWith([...numbered(1200, 'apollo'), ...numbered(1000, 'gemini')]);
  expect(unindexed.find(['apollo'], () => true)).toEqual({ rows: [], left: 1200 });
  const found = unindexed.find(['apollo', 'gemini']);
  expect(found.rows).toHaveLength(2200);
  expect(found.rows[0]).toEqual({ id: 2200, bits: 2 });
  expect(found.rows.at(-1)).toEqual({ id: 1, bits: 1 });
});

test('keeps to the filter, and tells words apart, however many', () => {
  const words = Array.from({ length: 32 }, (_, at) => `${'abcdefgh'[at % 8]}${at}z`);
  const rows = [
    { key: 'a', text: words.join(' ') },
    { key: 'b', text: words.join(' '), scope: 'categories/ai-ml' },
    { key: 'c', text: words[31]! },
  ];
  expect(
    rowsWith(rows)
      .find(words, never, 'shared')
      .rows.map(({ id, bits }) => [id, bits >>> 0]),
  ).toEqual([
    [3, 2 ** 31],
    [1, 2 ** 32 - 1],
  ]);
});

test('a row without content is waited for and never found', () => {
  const unindexed = rowsWith([{ key: 'a', text: 'apollo' }]);
  unindexed.mark(7);
  expect(unindexed.oldest(10)).toEqual([1, 7]);
  expect(unindexed.find(['apollo'])).toEqual({ rows: [{ id: 1, bits: 1 }], left: 0 });
  unindexed.unmark(1);
  expect(unindexed.oldest(10)).toEqual([7]);
});

test('takes a pattern that SQLite would refuse, and a query of nothing that it can look for', () => {
  const long = 'x'.repeat(60_000);
  const unindexed = rowsWith([
    { key: 'a', text: `${long}ก` },
    { key: 'b', text: long },
  ]);
  expect(idsOf(unindexed.find([`9${long}`.slice(1)]))).toEqual([2, 1]);
  expect(idsOf(unindexed.find(['ก']))).toEqual([1]);
});
