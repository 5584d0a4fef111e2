import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TestMemory, openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import type { MemoryInput } from '../../kernel/memory/operations.ts';
import { estimateTokens } from '../../kernel/text/token-budget.ts';

async function found(test: TestMemory, query: string, more: Partial<MemoryInput<'search'>> = {}) {
  const { hits, notes = [] } = await test.call('search', { query, ...more });
  return { keys: hits.map(({ key }) => key), notes };
}

const signs = '" \' ( ) * ^ : { } + - ~ ! ? . , ; | & < > [ ] / \\ 。 、 “ ” « »'.split(' ');
const punctuation = fc.string({ unit: fc.constantFrom(' ', '\0', '\n', ...signs), maxLength: 8 });

const keysOf = async (...args: Parameters<typeof found>) => (await found(...args)).keys;

describe('a query', () => {
  it('keeps quoted words together, as written, and says when nothing holds them', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 'The launch date is Friday.' });
    await test.call('store', { key: 'b', value: 'A date for the launch of both launches.' });
    await test.call('store', { key: 'launch/date', value: 'nothing else' });
    await test.call('store', { key: 'c', value: 'launched dates' });
    expect((await keysOf(test, '"Launch  DATE"')).toSorted()).toEqual(['a', 'launch/date']);
    expect(await keysOf(test, '“launch date” friday')).toEqual(['a', 'launch/date']);
    expect(await keysOf(test, '"launched dates"')).toEqual(['c']);
    const relaxed = await found(test, 'he said "friday the launch"');
    expect(relaxed.keys[0]).toBe('a');
    expect(relaxed.notes).toEqual([expect.stringContaining('quoted')]);
  });

  it('finds phrases of Thai, and of Thai and English mixed', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'lunch', value: 'ฉันชอบกินข้าวผัดกระเพราที่ร้าน Blue Lantern ใกล้บ้าน' });
    await test.call('store', { key: 'other', value: 'ข้าวหมดแล้ว ผัดไทยก็หมด Lantern สี Blue' });
    expect(await keysOf(test, '"ข้าวผัดกระเพรา"')).toEqual(['lunch']);
    expect(await keysOf(test, '"ร้าน Blue Lantern"')).toEqual(['lunch']);
    expect(await keysOf(test, '"Blue Lantern ใกล้บ้าน"')).toEqual(['lunch']);
    expect((await keysOf(test, 'กระเพรา lantern')).toSorted()).toEqual(['lunch', 'other']);
    expect(await keysOf(test, 'ข้าวผัด Lantern')).toHaveLength(2);
  });

  it('matches beginnings of the last word and of words before a star', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 'launching the decisions' });
    for (const query of ['laun', 'launchi', 'launchin', 'launching', 'launched', 'decisio', 'dec* zebra'])
      expect({ query, keys: await keysOf(test, query) }).toEqual({ query, keys: ['a'] });
    expect(await keysOf(test, 'dec zebra')).toEqual([]);
  });

  it('leaves out what is excluded, words and phrases', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 'red apples', thread: 't', sequence: 1 });
    await test.call('store', { key: 'b', value: 'green apples' });
    await test.call('store', { key: 'c', value: 'red tomatoes', thread: 't', sequence: 2 });
    expect(await keysOf(test, 'apples', { exclude: ['green'], neighbors: false })).toEqual(['a']);
    expect(await keysOf(test, 'apples', { exclude: ['tomatoes'] })).not.toContain('c');
    expect((await keysOf(test, 'apples', { exclude: ['red apples'] }))[0]).toBe('b');
    expect(await keysOf(test, 'rm -rf apples', { exclude: ['?!'], neighbors: false })).toHaveLength(2);
  });

  it('finds every word that was stored, whatever stands around it', async () => {
    await using test = await openTestMemory();
    let stored = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('needle', 'ข้าวผัด', 'Zürich', 'हिन्दी', '東京', 'C3PO', '🙂', 'naïve'),
        punctuation,
        punctuation,
        async (word, before, after) => {
          const key = `k${(stored += 1)}`;
          await test.call('store', { key, value: `x ${word} y` });
          expect(await keysOf(test, before + word + after, { limit: 1000 })).toContain(key);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('says when there is no word in it', async () => {
    await using test = await openTestMemory();
    expect(await found(test, '?! -')).toEqual({ keys: [], notes: ['The query has no word in it.'] });
  });
});

describe('filters', () => {
  it('narrow down by scopes, type, prefix, thread and date, now and in a former state', async () => {
    await using test = await openTestMemory();
    const value = 'needle';
    await test.call('store', { key: 'notes/a', value, thread: 'talk', sequence: 1 });
    await test.call('store', { key: 'notes/b/c', value: { text: value } });
    await test.call('store', { key: 'other', value, scope: 'coordinator' });
    await test.call('store', { key: 'there', value, scope: 'category:web' });
    const cases: [Partial<MemoryInput<'search'>>, string[]][] = [
      [{}, ['notes/a', 'notes/b/c', 'other', 'there']],
      [{ scope: 'shared' }, ['notes/a', 'notes/b/c']],
      [{ scope: ['coordinator', 'category:web'] }, ['other', 'there']],
      [{ type: 'json' }, ['notes/b/c']],
      [{ type: 'text', scope: 'shared' }, ['notes/a']],
      [{ prefix: 'notes/' }, ['notes/a', 'notes/b/c']],
      [{ prefix: 'notes/b/c' }, ['notes/b/c']],
      [{ prefix: 'notes/x' }, []],
      [{ thread: 'talk' }, ['notes/a']],
      [{ since: '2020' }, ['notes/a', 'notes/b/c', 'other', 'there']],
      [{ since: '2999-01-01' }, []],
      [{ until: '2020-01-01T00:00:00Z' }, []],
    ];
    await test.memory.flush();
    const { versions } = await test.call('history', { key: 'there', scope: 'category:web' });
    const at = versions[0]?.commit ?? '';
    for (const [input, keys] of cases) {
      const now = (await keysOf(test, 'needle', input)).toSorted();
      const past = (await keysOf(test, 'needle', { ...input, at })).toSorted();
      expect({ input, now, past }).toEqual({ input, now: keys, past: keys });
    }
    await expect(test.call('search', { query: 'x', since: 'yesterday' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      data: { field: 'since' },
    });
  });
});

describe('the answer', () => {
  it('stays within maxTokens, and says what was left out', async () => {
    await using test = await openTestMemory();
    for (let i = 0; i < 20; i++)
      await test.call('store', { key: `ก/${i}`, value: `needle ข้าว ${i} `.repeat(20) });
    for (const maxTokens of [50, 500, 1000, 100_000]) {
      const answer = await test.call('search', { query: 'needle', maxTokens });
      expect(estimateTokens(JSON.stringify(answer))).toBeLessThanOrEqual(maxTokens);
      expect(answer.tokens).toBeLessThanOrEqual(maxTokens);
      expect(answer.hits.length + (answer.omitted ?? 0)).toBe(20);
    }
    expect((await test.call('search', { query: 'needle', maxTokens: 50 })).hits).toEqual([]);
    expect((await test.call('search', { query: 'needle', maxTokens: 1000 })).hits.length).toBeGreaterThan(1);
  });

  it('says where the words stand, and how the score came about', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'moon/plan', value: 'The Moon, the moon!', tags: ['space'] });
    await test.call('store', { key: 'other', value: 'no such thing' });
    const { hits } = await test.call('search', { query: 'moon', explain: true, recency: 'none' });
    expect(hits).toHaveLength(1);
    const [hit] = hits;
    expect(hit?.highlights.map(([start, end]) => hit.snippet.slice(start, end))).toEqual(['Moon', 'moon']);
    expect(hit?.explain).toMatchObject({
      words: [{ word: 'moon', key: 1, tags: 0, body: 2, score: hit?.score }],
      text: hit?.score,
      neighbors: 0,
      recency: 1,
    });
  });
});

describe('threads', () => {
  it('lift what stands beside a hit, unless told not to', async () => {
    await using test = await openTestMemory();
    const say = (sequence: number, value: string, thread = 'talk') =>
      test.call('store', { key: `${thread}/${sequence}`, value, thread, sequence });
    await say(1, 'Did you see the marathon results?');
    await say(2, 'Two hours flat!');
    await say(3, 'Wow.');
    await say(9, 'And the weather?');
    await say(2, 'Someone else, somewhere else', 'other');
    expect(await keysOf(test, 'marathon')).toEqual(['talk/1', 'talk/2', 'talk/3']);
    expect(await keysOf(test, 'marathon', { neighbors: false })).toEqual(['talk/1']);
    expect(await keysOf(test, 'marathon weather', { thread: 'talk' })).toHaveLength(4);
    const { hits } = await test.call('search', { query: 'marathon', explain: true, recency: 'none' });
    expect(hits[1]).toMatchObject({ thread: 'talk', sequence: 2, explain: { words: [], text: 0 } });
    expect(hits[1]?.explain?.neighbors).toBeCloseTo(0.5 * (hits[0]?.score ?? 0), 4);
    expect(hits[2]?.explain?.neighbors).toBeCloseTo(0.2 * (hits[0]?.score ?? 0), 4);
  });

  it('are kept in the file, read back, listed, restored, and survive appends and a new index', async () => {
    await using test = await openTestMemory();
    const place = { thread: 'talk', sequence: 3 };
    await test.call('store', { key: 'text', value: 'hello', ...place });
    await test.call('store_many', { entries: [{ key: 'list', value: [1], thread: 'talk' }] });
    await test.call('append', { key: 'text', text: 'again' });
    await test.memory.flush();
    expect(test.git('show', 'main:shared/text.md')).toBe(
      '---\nkey: "text"\nsequence: 3\nthread: "talk"\n---\nhello\nagain\n',
    );
    expect(await test.call('retrieve', { key: 'text' })).toMatchObject(place);
    const { items } = await test.call('list', {});
    expect(items).toMatchObject([
      { key: 'list', thread: 'talk' },
      { key: 'text', ...place },
    ]);
    expect(items[0]).not.toHaveProperty('sequence');
    const { versions } = await test.call('history', { key: 'text' });
    await test.call('store', { key: 'text', value: 'plain' });
    expect(await test.call('retrieve', { key: 'text' })).not.toHaveProperty('thread');
    await test.call('restore', { key: 'text', to: versions[0]?.commit ?? '' });
    expect(await test.call('retrieve', { key: 'text' })).toMatchObject(place);
    await test.reopen();
    expect(await keysOf(test, 'hello', { thread: 'talk' })).toEqual(['text']);
  });
});

describe('recency', () => {
  it('prefers what is new by as much as was asked for', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'new', value: 'needle and some more words than there' });
    await test.call('store', { key: 'old', value: 'needle here' });
    const scores = async (recency: 'none' | 'mild' | 'strong') => {
      const { hits } = await test.call('search', { query: 'needle', recency, explain: true });
      return hits.map(({ explain }) => explain?.recency ?? 0);
    };
    expect(await scores('none')).toEqual([1, 1]);
    for (const factor of await scores('mild')) expect(factor).toBeCloseTo(1.05, 3);
    for (const factor of await scores('strong')) expect(factor).toBeCloseTo(1.5, 3);
  });
});
