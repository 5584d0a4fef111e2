import { describe, expect, it } from 'vitest';
import { encodeMemoryFile } from '../files/memory-file.ts';
import { type MemoryIndex, createTemporaryIndex } from '../index/memory-index.ts';
import { parseQuery } from './query.ts';
import type { SearchFilter } from './search-filter.ts';

function put(index: MemoryIndex, key: string, value: string, scope = 'shared'): void {
  const place = { scope, key, path: `${scope}/${key}.md`, etag: key };
  const content = encodeMemoryFile({ key, tags: [], value });
  index.put({ ...place, atMs: 0, actor: 'a', seq: 0, content });
}

/** All that changed, with its full text. */
function settle(index: MemoryIndex): void {
  index.transaction(() => index.writeText(1_000_000));
}

/** An index of so many memories. */
function indexOf(count: number, valueOf: (i: number) => string): MemoryIndex {
  const index = createTemporaryIndex();
  index.transaction(() => {
    for (let i = 0; i < count; i++)
      put(index, `k${i}`, valueOf(i), i % 6000 === 7 ? 'coordinator' : 'shared');
    index.writeText(count);
  });
  return index;
}

function find(index: MemoryIndex, text: string, filter: Partial<SearchFilter> = {}, without: string[] = []) {
  const query = parseQuery(text) ?? { words: [], phrases: [] };
  const found = index.search.find(query, { nowMs: 0, ...filter }, without, 300);
  return { ...found, keys: found.rows.map(({ id }) => index.search.memoryOf(id)?.key) };
}

describe('a very common word', () => {
  it('brings the newest, scores what rarer words bring, and is named', () => {
    using index = indexOf(
      46_000,
      (i) => `${i % 3 > 0 ? 'common' : ''} ${i % 9000 === 4 ? 'rare' : ''} n${i}`,
    );
    const alone = find(index, '"common"');
    expect(alone.rows).toHaveLength(300);
    expect(find(index, 'common zzz')).toMatchObject({ bounded: ['common'] });
    const both = find(index, 'common rare "');
    const rare = ['k18004', 'k27004', 'k36004', 'k4', 'k45004', 'k9004'];
    expect(new Set(both.keys.slice(0, 6))).toEqual(new Set(rare));
    expect(both.rows[0]?.words.map(({ word }) => word)).toEqual(['rare', 'common']);
    expect(find(index, 'common', { scopes: ['coordinator'] }).keys).toHaveLength(8);
    expect(find(index, 'common rare "', { scopes: ['coordinator'] }).keys).toHaveLength(8);
    expect(find(index, 'common', { prefix: 'k1234' }).isCut).toBe(false);
    expect(find(index, 'rare "', {}, ['common']).keys).toEqual([]);
  });

  it('is not missed in long memories that repeat it', () => {
    using index = indexOf(400, (i) => `${'word '.repeat(100)} x${i}`);
    const found = find(index, 'word x399 "');
    expect(found.bounded).toEqual([]);
    expect(found.keys[0]).toBe('k399');
    expect(found.rows).toHaveLength(300);
  });
});

describe('the beginning of very many words', () => {
  it('finds some of them, and says that there are more', () => {
    using index = indexOf(20_000, (i) => `w${i}`);
    const found = find(index, 'w');
    expect(found.rows).toHaveLength(300);
    expect(found.bounded).toEqual(['w']);
    expect(find(index, 'w19999').keys).toEqual(['k19999']);
  });
});

describe('scores', () => {
  it('grow with rareness, repetition and field, and fall with length', () => {
    using index = createTemporaryIndex();
    put(index, 'moon', 'nothing');
    put(index, 'a', 'moon moon');
    put(index, 'b', 'moon');
    put(index, 'c', `moon ${'filler '.repeat(30)}`);
    for (let i = 0; i < 20; i++) put(index, `f${i}`, 'filler sun');
    settle(index);
    expect(find(index, 'moon "').keys).toEqual(['moon', 'a', 'b', 'c']);
    const [sun] = find(index, 'sun "').rows;
    const [moon] = find(index, 'moon "').rows;
    expect(moon?.words[0]?.idf).toBeGreaterThan(sun?.words[0]?.idf ?? Infinity);
  });

  it('stay the same when a memory is replaced or others are deleted', () => {
    using index = createTemporaryIndex();
    for (let i = 0; i < 10; i++) put(index, `k${i}`, i < 3 ? 'moon here' : 'sun there');
    settle(index);
    const before = find(index, 'moon "').rows.map(({ score }) => score);
    for (let round = 0; round < 5; round++)
      for (let i = 0; i < 10; i++) put(index, `k${i}`, i < 3 ? 'moon here' : 'sun there');
    settle(index);
    expect(find(index, 'moon "').rows.map(({ score }) => score)).toEqual(before);
    index.remove('shared', 'k0');
    settle(index);
    expect(find(index, 'moon "').keys).toHaveLength(2);
    index.clear();
    expect(find(index, 'moon').keys).toEqual([]);
    put(index, 'k', 'moon');
    settle(index);
    expect(find(index, 'moon').keys).toEqual(['k']);
  });
});
