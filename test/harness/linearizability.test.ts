import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import { type JournalDisk, realDisk } from '../../src/memory/journal/journal.ts';
import { openTestMemory } from '../fixtures/memory-in-temp.ts';
import { type Call, findContradiction } from './check-history.ts';
import { createRandom } from './random.ts';

const call = (startTick: number, endTick: number, saw: string, wrote?: string): Call => ({
  startTick,
  endTick,
  saw,
  ...(wrote !== undefined && { wrote }),
});

describe('the checker', () => {
  it('accepts calls that overlap in any order that fits', () => {
    expect(findContradiction([], 'absent')).toBeUndefined();
    const history = [call(0, 9, 'absent', 'a'), call(1, 2, 'a'), call(3, 8, 'b'), call(4, 7, 'a', 'b')];
    expect(findContradiction(history, 'absent')).toBeUndefined();
  });

  it.each([
    ['a lost update', [call(0, 1, 'absent', 'a'), call(2, 5, 'a', 'b'), call(3, 6, 'a', 'c')]],
    ['a stale read', [call(0, 1, 'absent', 'a'), call(2, 3, 'a', 'b'), call(4, 5, 'a')]],
    ['a read from the future', [call(0, 1, 'a'), call(2, 3, 'absent', 'a')]],
    ['a value out of nowhere', [call(0, 1, 'absent', 'a'), call(2, 3, 'ghost')]],
    ['writes in the wrong order', [call(4, 5, 'absent', 'a'), call(0, 1, 'a', 'b')]],
  ])('finds %s', (_name, history) => {
    expect(findContradiction(history, 'absent')).toBeDefined();
  });
});

/** 64 writers that race on few keys: read, then store on condition. Returns the calls of each key. */
async function race(disk: JournalDisk, seed: number) {
  const writers = 64;
  const keys = ['a', 'ข', 'c/d'];
  const random = createRandom(seed);
  const calls = new Map<string, Call[]>(keys.map((key) => [key, []]));
  let ticks = 0;
  let failures = 0;
  await using test = await openTestMemory({ flushIntervalMs: 20, journalDisk: disk });

  /** Makes a call and notes what it saw and wrote; the etag seen. */
  async function note(key: string, work: () => Promise<{ saw: string; wrote?: string }>): Promise<string> {
    const startTick = (ticks += 1);
    const told = await work();
    calls.get(key)?.push({ startTick, endTick: (ticks += 1), ...told });
    return told.wrote ?? told.saw;
  }

  const read = (key: string) =>
    note(key, async () => {
      try {
        return { saw: (await test.call('retrieve', { key })).etag };
      } catch (error) {
        if (error instanceof AppError && error.code === 'MEMORY_NOT_FOUND') return { saw: 'absent' };
        throw error;
      }
    });

  const store = (key: string, ifMatch: string, value: object) =>
    note(key, async () => {
      try {
        return { saw: ifMatch, wrote: (await test.call('store', { key, value, ifMatch })).etag };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'MEMORY_CHANGED') throw error;
        expect(error.data['actual']).not.toBe(ifMatch);
        return { saw: String(error.data['actual']) };
      }
    });

  async function write(writer: number): Promise<void> {
    for (let i = 0; i < 24; i++) {
      const key = keys[Math.floor(random() * keys.length)] ?? '';
      let known = await read(key);
      for (let attempt = 0; attempt < 2; attempt++) {
        const before = known;
        try {
          known = await store(key, before, { writer, i, attempt });
        } catch (error) {
          if (!(error instanceof AppError) || error.code !== 'STORAGE_FAILED') throw error;
          failures += 1;
        }
      }
    }
  }

  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  const etags = new Map<string, (string | null)[]>();
  for (const key of keys) {
    const { versions } = await test.call('history', { key, limit: 1000 });
    etags.set(key, versions.map((version) => version.etag).toReversed());
  }
  expect(test.git('fsck', '--full', '--strict')).toBe('');
  return { calls, etags, failures };
}

/** The chain of written values, oldest first. */
function chainOf(calls: readonly Call[]): string[] {
  const next = new Map(calls.map((one) => [one.wrote === undefined ? '' : one.saw, one.wrote ?? '']));
  const chain: string[] = [];
  for (let value = next.get('absent'); value; value = next.get(value)) chain.push(value);
  return chain;
}

describe('ifMatch with 64 writers', () => {
  it('is linearizable, and the history in Git is the order in which the writes took effect', async () => {
    const { calls, etags, failures } = await race(realDisk, 1);
    expect(failures).toBe(0);
    for (const [key, ofKey] of calls) {
      expect(findContradiction(ofKey, 'absent')).toBeUndefined();
      expect(ofKey.filter((one) => one.wrote !== undefined).length).toBeGreaterThan(20);
      expect(etags.get(key)).toEqual(chainOf(ofKey));
    }
  });

  it('stays so while the disk fails now and then: what failed never happened', async () => {
    const random = createRandom(7);
    const disk: JournalDisk = {
      write: (handle, bytes, position) => realDisk.write(handle, bytes, position),
      async sync(handle) {
        await realDisk.sync(handle);
        if (random() < 0.2) throw Object.assign(new Error('sync failed'), { code: 'EIO' });
      },
    };
    const { calls, etags, failures } = await race(disk, 2);
    expect(failures).toBeGreaterThan(0);
    for (const [key, ofKey] of calls) {
      expect(findContradiction(ofKey, 'absent')).toBeUndefined();
      expect(etags.get(key)).toEqual(chainOf(ofKey));
    }
  });
});

/** What a call was told, with the etag that it saw where it was not told the number. */
type CounterCall = Omit<Call, 'saw'> & { readonly saw: string | { readonly etag: string } };

/**
 * 32 clients that count the same numbers up, each in its own way: by increments, and by reading and storing on
 * condition. Every change makes the number greater, so it never comes back, and names its state.
 */
async function count(disk: JournalDisk, seed: number) {
  const keys = ['n', 'ก'];
  const random = createRandom(seed);
  const calls = new Map<string, CounterCall[]>(keys.map((key) => [key, []]));
  const numberOf = new Map([['absent', 0]]);
  let ticks = 0;
  let refusals = 0;
  await using test = await openTestMemory({ flushIntervalMs: 20, journalDisk: disk });

  async function note(key: string, work: () => Promise<Omit<CounterCall, 'startTick' | 'endTick'>>) {
    const startTick = (ticks += 1);
    try {
      const told = await work();
      calls.get(key)?.push({ startTick, endTick: (ticks += 1), ...told });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'STORAGE_FAILED') throw error;
      refusals += 1;
    }
  }

  const increment = (key: string) =>
    note(key, async () => {
      const by = 1 + Math.floor(random() * 3);
      const { value, etag } = await test.call('increment', { key, by });
      numberOf.set(etag, value);
      return { saw: String(value - by), wrote: String(value) };
    });

  /** The number and its etag, as the client saw them. */
  async function read(key: string): Promise<{ value: number; etag: string }> {
    let seen = { value: 0, etag: 'absent' };
    await note(key, async () => {
      try {
        const { value, etag } = await test.call('retrieve', { key });
        seen = { value: Number(value), etag };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'MEMORY_NOT_FOUND') throw error;
      }
      return { saw: String(seen.value) };
    });
    return seen;
  }

  async function storeMore(key: string): Promise<void> {
    const before = await read(key);
    const value = before.value + 1000;
    await note(key, async () => {
      try {
        const { etag } = await test.call('store', { key, value, ifMatch: before.etag });
        numberOf.set(etag, value);
        return { saw: String(before.value), wrote: String(value) };
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'MEMORY_CHANGED') throw error;
        return { saw: { etag: String(error.data['actual']) } };
      }
    });
  }

  const client = async () => {
    for (let i = 0; i < 30; i++) {
      const key = keys[Math.floor(random() * keys.length)] ?? '';
      await (random() < 0.5 ? increment(key) : storeMore(key));
    }
  };
  await Promise.all(Array.from({ length: 32 }, client));
  const history = new Map<string, (number | undefined)[]>();
  for (const key of keys) {
    const { versions } = await test.call('history', { key, limit: 1000 });
    history.set(key, versions.map(({ etag }) => numberOf.get(etag ?? 'absent')).toReversed());
  }
  const known = [...calls].map(([key, all]): [string, Call[]] => [
    key,
    all.map(({ saw, ...call }) => ({
      ...call,
      saw: typeof saw === 'string' ? saw : String(numberOf.get(saw.etag)),
    })),
  ]);
  return { calls: new Map(known), history, refusals };
}

describe('increment beside ifMatch', () => {
  it.each([
    ['on a sound disk', 0],
    ['while the disk fails now and then', 0.15],
  ])('is linearizable %s, and in the history in that order', async (_name, failureRate) => {
    const random = createRandom(11);
    const disk: JournalDisk = {
      write: (handle, bytes, position) => realDisk.write(handle, bytes, position),
      async sync(handle) {
        await realDisk.sync(handle);
        if (random() < failureRate) throw Object.assign(new Error('sync failed'), { code: 'EIO' });
      },
    };
    const { calls, history, refusals } = await count(disk, 3);
    expect(refusals > 0).toBe(failureRate > 0);
    for (const [key, ofKey] of calls) {
      expect(findContradiction(ofKey, '0')).toBeUndefined();
      const written = ofKey.flatMap(({ wrote }) => (wrote === undefined ? [] : [Number(wrote)]));
      expect(written.length).toBeGreaterThan(50);
      expect(history.get(key)).toEqual(written.toSorted((a, b) => a - b));
    }
  });
});
