import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { parseQuery } from './query.ts';
import { stemOf } from '../../kernel/text/segment.ts';
import { snippetOf } from './snippet.ts';

describe('search', () => {
  it('finds text in many scripts, in fields, keys and tags', async () => {
    await using test = await openTestMemory();
    const memories = {
      'notes/rice': 'ฉันชอบกินข้าวผัดกระเพราที่ร้านใกล้บ้าน',
      'notes/meeting': 'การประชุมทีมเรื่องความจำระยะยาวของระบบ',
      'notes/tokyo': '東京都に住んでいる友達と会いました',
      'notes/cafe': 'Meet at the Café Zürich tomorrow',
      'notes/hindi': 'मुझे हिन्दी पसंद है',
      'plans/apollo': {
        status: 'launched',
        decisions: ['Use SQLite for the index'],
        owner: { name: 'Grace' },
      },
    };
    for (const [key, value] of Object.entries(memories))
      await test.call('store', { key, value, tags: ['all', 'tagged'] });
    const keys = async (query: string) => (await test.call('search', { query })).hits.map((hit) => hit.key);
    expect(await keys('ข้าวผัด')).toEqual(['notes/rice']);
    expect(await keys('ความจำ')).toEqual(['notes/meeting']);
    expect(await keys('ประชุม')).toEqual(['notes/meeting']);
    expect(await keys('東京')).toEqual(['notes/tokyo']);
    expect(await keys('友達')).toEqual(['notes/tokyo']);
    expect(await keys('cafe zurich')).toEqual(['notes/cafe']);
    expect(await keys('हिन्दी')).toEqual(['notes/hindi']);
    expect(await keys('decision')).toEqual(['plans/apollo']);
    expect(await keys('launch')).toEqual(['plans/apollo']);
    expect(await keys('grace')).toEqual(['plans/apollo']);
    expect(await keys('apol')).toEqual(['plans/apollo']);
    expect(await keys('where is the SQLite?')).toEqual(['plans/apollo']);
    expect(await keys('tagged')).toHaveLength(6);
    expect(await keys('nothing')).toEqual([]);
  });

  it('finds every acknowledged write of a burst, the oldest too, while its text is still being made', async () => {
    await using test = await openTestMemory();
    const entries = (from: number) =>
      Array.from({ length: 1000 }, (_, at) => ({
        key: `k/${from + at}`,
        value: `quetzal${from + at} and more`,
      }));
    for (let from = 0; from < 12_000; from += 1000) await test.call('store_many', { entries: entries(from) });
    for (const n of [0, 5999, 11_999]) {
      const { hits, unsearched } = await test.call('search', { query: `quetzal${n} -` });
      expect([hits[0]?.key, unsearched]).toEqual([`k/${n}`, undefined]);
    }
  });

  it('never misses a value that is rewritten meanwhile', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'k', value: 'needle 0' });
    const ending = new AbortController();
    const writing = (async () => {
      for (let n = 1; !ending.signal.aborted && n < 5000; n += 1)
        await test.call('store', { key: 'k', value: `needle ${n}` });
    })();
    for (let n = 0; n < 150; n += 1) {
      const { hits } = await test.call('search', { query: 'needle' });
      expect(hits.map(({ key }) => key)).toEqual(['k']);
    }
    ending.abort();
    await writing;
  });

  it('ranks what has more of the words first, and shows where they stand', async () => {
    await using test = await openTestMemory();
    const filler = 'something else entirely '.repeat(40);
    for (let i = 0; i < 20; i++)
      await test.call('store', { key: `other/${i}`, value: `${filler} database ${i}` });
    await test.call('store', {
      key: 'both',
      value: `${filler} the database migration happened on Friday ${filler}`,
    });
    const { hits } = await test.call('search', { query: 'database migration', limit: 5 });
    expect(hits).toHaveLength(5);
    expect(hits[0]).toMatchObject({ key: 'both', scope: 'shared' });
    expect(hits[0]?.snippet).toContain('database migration');
    expect(hits[0]?.snippet.length).toBeLessThan(210);
    expect(hits[0]?.score).toBeGreaterThan(hits[1]?.score ?? Infinity);
  });

  it('keeps to scope and tags, and forgets what was deleted or replaced', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 'needle one', tags: ['x'] });
    await test.call('store', { key: 'a', scope: 'coordinator', value: 'needle two', tags: ['y'] });
    await test.call('store', { key: 'b', value: 'needle three' });
    const found = async (input: { scope?: string; tags?: string[] }) =>
      (await test.call('search', { query: 'needle', ...input })).hits
        .map((hit) => `${hit.scope}/${hit.key}`)
        .sort();
    expect(await found({})).toEqual(['coordinator/a', 'shared/a', 'shared/b']);
    expect(await found({ scope: 'shared' })).toEqual(['shared/a', 'shared/b']);
    expect(await found({ tags: ['y'] })).toEqual(['coordinator/a']);
    await test.call('delete', { key: 'b' });
    await test.call('store', { key: 'a', value: 'replaced' });
    expect(await found({})).toEqual(['coordinator/a']);
  });

  it('searches a former state', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 'old words' });
    await test.call('store', { key: 'b', value: 'other words', scope: 'coordinator' });
    const { versions } = await test.call('history', { key: 'b', scope: 'coordinator' });
    await test.call('store', { key: 'a', value: 'new content' });
    await test.call('delete', { key: 'b', scope: 'coordinator' });
    const at = versions[0]?.commit ?? '';
    const keys = async (input: { query: string; at?: string; scope?: string }) =>
      (await test.call('search', input)).hits.map((hit) => hit.key).sort();
    expect(await keys({ query: 'words' })).toEqual([]);
    expect(await keys({ query: 'words', at })).toEqual(['a', 'b']);
    expect(await keys({ query: 'words', at, scope: 'shared' })).toEqual(['a']);
    expect(await keys({ query: 'content', at })).toEqual([]);
    expect(await keys({ query: 'words', at: '1999-01-01' })).toEqual([]);
  });

  it('takes any query without an error', async () => {
    await using test = await openTestMemory();
    await test.call('store', {
      key: 'a',
      value: 'C++ and "quotes" AND (parentheses) col:umn a*b ^x -y NEAR',
    });
    const odd = [
      '"',
      "'",
      '(',
      'a AND',
      'NEAR(a b)',
      'col:',
      '*',
      '-',
      '^',
      '{a}',
      'C++',
      '"unclosed',
      '\ud800',
      '\0',
      '🙂',
      'ก็',
      '::',
    ];
    for (const query of odd) await test.call('search', { query });
    expect((await test.call('search', { query: '"quotes" AND' })).hits).toHaveLength(1);
    expect((await test.call('search', { query: '?!' })).hits).toEqual([]);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }), async (query) => {
        await test.call('search', { query });
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseQuery', () => {
  const wordsIn = (query: string) => parseQuery(query)?.words.map(({ word }) => word);

  it('drops stop words unless there is nothing else', () => {
    expect(wordsIn('what is the plan')).toEqual(['plan']);
    expect(wordsIn('how are you')).toEqual(['how', 'are', 'you']);
    expect(parseQuery('...')).toBeUndefined();
  });
});

describe('stemOf', () => {
  it.each([
    ['decisions', 'decision'],
    ['launched', 'launching'],
    ['stories', 'story'],
    ['running', 'runs'],
    ['quickly', 'quick'],
    ['boxes', 'box'],
    ['uses', 'use'],
  ])('joins %s and %s', (one, other) => {
    expect(stemOf(one)).toBe(stemOf(other));
  });

  it.each(['status', 'class', 'thing', 'red', 'analysis'])('leaves %s', (word) => {
    expect(stemOf(word)).toBe(word);
  });
});

describe('snippetOf', () => {
  const wordsOf = (query: string) => parseQuery(query)?.words ?? [];

  it('is short, on one line and well formed, with highlights inside it, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 2000 }),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }),
        (text, word) => {
          const snippet = snippetOf(text + word, wordsOf(word));
          expect(snippet.text.length).toBeLessThanOrEqual(202);
          expect(snippet.text).not.toContain('\n');
          expect(snippet.text.isWellFormed()).toBe(true);
          for (const [start, end] of snippet.highlights) {
            expect(start).toBeLessThan(end);
            expect(end).toBeLessThanOrEqual(snippet.text.length);
          }
        },
      ),
    );
  });

  it('shows the part with most of the words, and where they stand', () => {
    const filler = 'lorem ipsum dolor '.repeat(30);
    const text = `A plan. ${filler} the plans of the Moon ${filler} moon ${filler}`;
    const { text: snippet, highlights } = snippetOf(text, wordsOf('moon plan'));
    expect(snippet).toMatch(/^…/);
    expect(highlights.map(([start, end]) => snippet.slice(start, end))).toEqual(['plans', 'Moon']);
    const thai = snippetOf('พรุ่งนี้ไปกินข้าวผัดกับ Ada ที่เชียงใหม่', wordsOf('ข้าวผัด ada'));
    expect(thai.highlights.map(([start, end]) => thai.text.slice(start, end)).join('')).toContain('Ada');
    expect(thai.highlights.map(([start, end]) => thai.text.slice(start, end)).join('')).toContain('ข้าวผัด');
  });
});
