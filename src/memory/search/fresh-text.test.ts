import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyPath } from '../files/key-path.ts';
import { blobId, encodeMemoryFile } from '../files/memory-file.ts';
import { type MemoryIndex, createTemporaryIndex } from '../index/memory-index.ts';
import { parseQuery } from './query.ts';

function put(index: MemoryIndex, key: string, value: string, scope = 'shared'): void {
  index.transaction(() => {
    const content = encodeMemoryFile({ key, tags: [], value });
    const place = { scope, key, path: keyPath(scope, key, 'text') };
    index.put({ ...place, etag: blobId(content), atMs: 1, actor: 'x', seq: 1, content });
  });
}

function makeText(index: MemoryIndex): void {
  index.transaction(() => void index.writeText(100_000));
}

function find(index: MemoryIndex, query: string, scope?: string) {
  const filter = { nowMs: 0, scopes: scope === undefined ? undefined : [scope] };
  const { rows, ...rest } = index.search.find(parseQuery(query)!, filter, [], 1000);
  return { ids: rows.map(({ id }) => id), rows, ...rest };
}

/** What is found and by which words; how much a word counts depends on how many memories the index knows. */
function foundBy(index: MemoryIndex, query: string) {
  const { rows, bounded } = find(index, query);
  const found = rows.map(({ id, words }) => ({
    id,
    words: words.map(({ word, counts }) => ({ word, counts })),
  }));
  return { bounded, found: found.sort((one, other) => one.id - other.id) };
}

test('values are found by the same words before their text is made as after', () => {
  const word = fc.constantFrom('apollo', 'Gemini', 'moon', 'café', 'ประชุม', 'launching', 'launch');
  const text = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(' '));
  const change = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'moon', 'd/e'), text });
  fc.assert(
    fc.property(fc.array(change), fc.array(change), text, (before, after, query) => {
      using index = createTemporaryIndex();
      for (const { key, text: value } of before) put(index, key, value);
      makeText(index);
      for (const { key, text: value } of after) put(index, key, value);
      const fresh = foundBy(index, query);
      makeText(index);
      expect(fresh).toEqual(foundBy(index, query));
    }),
    { numRuns: 60 },
  );
});

test('the oldest of very many is found, by whatever word is its own', () => {
  using index = createTemporaryIndex();
  put(index, 'needle', 'a word of its own: quetzal, beside the common one');
  for (let n = 0; n < 3000; n += 1) put(index, `k/${n}`, 'the common one');
  const [needle] = find(index, 'quetzal').ids;
  expect(needle).toBe(1);
  expect(find(index, 'common quetzal').ids[0]).toBe(needle);
  const common = find(index, 'common');
  expect(common.bounded).toEqual(['common']);
  expect(common.ids).toContain(3001);
  expect(find(index, 'quetzal', 'coordinator').ids).toEqual([]);
});

test('a common word of one scope does not keep another scope from view', () => {
  using index = createTemporaryIndex();
  put(index, 'mine', 'common', 'categories/iot');
  for (let n = 0; n < 500; n += 1) put(index, `k/${n}`, 'common');
  expect(find(index, 'common', 'categories/iot').ids).toEqual([1]);
});

test('a value that is rewritten is found by its new words only, a deleted one by none', () => {
  using index = createTemporaryIndex();
  for (const key of ['a', 'b']) put(index, key, 'apollo');
  makeText(index);
  put(index, 'a', 'gemini');
  expect([find(index, 'apollo').ids, find(index, 'gemini').ids]).toEqual([[2], [1]]);
  put(index, 'a', 'apollo again');
  expect([find(index, 'apollo').ids, find(index, 'gemini').ids]).toEqual([[2, 1], []]);
  index.transaction(() => index.remove('shared', 'a'));
  expect(find(index, 'apollo').ids).toEqual([2]);
  makeText(index);
  expect(find(index, 'apollo').ids).toEqual([2]);
});
