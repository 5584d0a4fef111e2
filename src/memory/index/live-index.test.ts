import { describe, expect, it } from 'vitest';
import { openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';

describe('the index behind a thread', () => {
  it('shows what was acknowledged a moment ago, in lists and searches too, under a load that never ends', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 1 });
    const stop = new AbortController();
    const noise = Array.from({ length: 16 }, async (_, writer) => {
      for (let i = 0; !stop.signal.aborted; i++) {
        await test.call('store', { key: `noise/${writer}/${i % 50}`, value: `noise number ${i}` });
      }
    });
    for (let i = 0; i < 20; i++) {
      const key = `mine/${i}`;
      await test.call('store', { key, value: `zebra${i} ในบ้าน`, tags: ['mine'] });
      expect((await test.call('retrieve', { key })).value).toBe(`zebra${i} ในบ้าน`);
      expect((await test.call('list', { prefix: 'mine/' })).items).toHaveLength(i + 1);
      const { hits } = await test.call('search', { query: `zebra${i}`, limit: 5 });
      expect(hits.map((hit) => hit.key)).toContain(key);
      if (i % 2 === 0) continue;
      await test.call('store', { key, value: 'another animal' });
      expect((await test.call('search', { query: `zebra${i}` })).hits.map((hit) => hit.key)).not.toContain(
        key,
      );
    }
    await test.call('delete', { key: 'mine/0' });
    expect((await test.call('search', { query: 'zebra0' })).hits).toEqual([]);
    stop.abort();
    await Promise.all(noise);
  });

  it('goes on with full text after a restart', async () => {
    await using test = await openTestMemory();
    const entries = Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: `giraffe ${i}` }));
    await test.call('store_many', { entries });
    await test.reopen();
    expect((await test.call('search', { query: 'giraffe 499' })).hits[0]?.key).toBe('k499');
    expect((await test.call('search', { query: 'giraffe', limit: 600 })).hits.length).toBeGreaterThan(199);
  });
});
