import { describe, expect, it } from 'vitest';
import { openTestMemory } from '../../test/fixtures/memory-in-temp.ts';
import { type JournalDisk, realDisk } from './journal/journal.ts';

/** A disk whose syncs wait for a word, or fail. */
function createSlowDisk() {
  const syncs: PromiseWithResolvers<void>[] = [];
  let isSlow = false;
  const disk: JournalDisk = {
    write: (handle, bytes, position) => realDisk.write(handle, bytes, position),
    async sync(handle) {
      if (isSlow) {
        const word = Promise.withResolvers<void>();
        syncs.push(word);
        await word.promise;
      }
      await realDisk.sync(handle);
    },
  };
  return {
    disk,
    slow: (now: boolean) => {
      isSlow = now;
    },
    allow: () => syncs.shift()?.resolve(),
    fail: () => syncs.shift()?.reject(Object.assign(new Error('broken'), { code: 'EIO' })),
  };
}

describe('relaxed durability', () => {
  it('answers before the disk has it, to readers too, and a strict write of the key waits', async () => {
    const { disk, slow, allow } = createSlowDisk();
    await using test = await openTestMemory({ journalDisk: disk });
    await test.call('store', { key: 'a', value: 0 });
    slow(true);
    await test.call('store', { key: 'a', value: 1, durability: 'relaxed' });
    expect((await test.call('retrieve', { key: 'a' })).value).toBe(1);
    expect((await test.call('list', {})).items).toHaveLength(1);
    expect((await test.call('search', { query: 'a' })).hits).toHaveLength(1);
    let isDone = false;
    const strict = test.call('increment', { key: 'a' }).then(() => (isDone = true));
    await test.call('retrieve', { key: 'a' });
    expect(isDone).toBe(false);
    slow(false);
    allow();
    await strict;
    await test.memory.flush();
    expect((await test.call('retrieve', { key: 'a' })).value).toBe(2);
    expect((await test.call('history', { key: 'a' })).versions).toHaveLength(3);
  });

  it('tries again what it acknowledged and the disk refused, before all that comes later', async () => {
    const { disk, slow, fail } = createSlowDisk();
    await using test = await openTestMemory({ journalDisk: disk });
    await test.call('store', { key: 'a', value: 'old' });
    slow(true);
    await test.call('append', { key: 'a', text: 'relaxed', durability: 'relaxed' });
    const refused = test.call('store', { key: 'b', value: 1 });
    slow(false);
    fail();
    await expect(refused).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect((await test.call('retrieve', { key: 'a' })).value).toBe('old\nrelaxed');
    await test.call('append', { key: 'a', text: 'strict' });
    await test.reopen();
    expect((await test.call('retrieve', { key: 'a' })).value).toBe('old\nrelaxed\nstrict');
    expect((await test.call('history', { key: 'a' })).versions).toHaveLength(3);
    expect((await test.call('list', {})).items.map(({ key }) => key)).toEqual(['a']);
  });
});
