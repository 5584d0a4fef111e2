/**
 * Two replicas under random changes and merges: they come to the same commit, and their indexes agree with Git.
 * `MERGE_RUNS` sets how many histories are tried.
 */

import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import { type TestMemory, openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { fetchFrom, openReplicas, takeFrom } from '../../../test/fixtures/replicas.ts';

const key = fc.constantFrom('a', 'b', 'c/d');
const text = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 4 }).map((lines) => lines.join('\n'));
const json = fc.dictionary(
  fc.constantFrom('p', 'q'),
  fc.oneof(fc.nat(3), fc.array(fc.nat(3), { maxLength: 3 })),
  {
    maxKeys: 2,
  },
);
const change = fc.oneof(
  fc.record({ op: fc.constant('store' as const), key, value: fc.oneof(text, json) }),
  fc.record({ op: fc.constant('delete' as const), key }),
  fc.record({ op: fc.constant('append' as const), key, text: fc.constantFrom('more', 'most') }),
  fc.record({ op: fc.constant('increment' as const), key, pointer: fc.constantFrom('/p', '/n') }),
  fc.record({ op: fc.constant('resolve' as const), key, use: fc.constant('current' as const) }),
);
type Step = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** Changes that do not fit what is there are refused, and that is fine. */
async function apply(test: TestMemory, { op, ...input }: Step, actor: string): Promise<void> {
  await test.call(op, input as never, actor).catch((error: { code?: string }) => {
    if (!['INVALID_INPUT', 'NOT_FOUND'].includes(error.code ?? '')) throw error;
  });
}

async function stateOf(test: TestMemory): Promise<unknown> {
  const { items } = await test.call('list', {});
  const values = items.map(async (item) => {
    const { value, tags, etag } = await test.call('retrieve', { key: item.key });
    return { key: item.key, value, tags, etag };
  });
  const conflicts = await test.call('conflicts', { limit: 100 });
  return { values: await Promise.all(values), conflicts };
}

/** What stock Git says is in the tree, by path. */
function treeOf(test: TestMemory): string[] {
  const rows = test.git('ls-tree', '-r', '-z', 'main', 'shared/').split('\0').filter(Boolean);
  return rows.map((row) => row.slice('100644 blob '.length).split('\t')[0] ?? '').toSorted();
}

describe('two replicas', () => {
  it('come to the same commit whatever both changed, with indexes that agree with Git', async () => {
    const side = fc.array(change, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(side, side), { minLength: 1, maxLength: 3 }), async (rounds) => {
        await using replicas = await openReplicas((left) =>
          left.call('store', { key: 'a', value: { p: 1 } }),
        );
        const { left, right } = replicas;
        for (const [mine, others] of rounds) {
          for (const step of mine) await apply(left, step, 'ann');
          for (const step of others) await apply(right, step, 'bob');
          const [ours, theirs] = [await fetchFrom(right, left), await fetchFrom(left, right)];
          const [a, b] = [await left.memory.take(theirs), await right.memory.take(ours)];
          expect(b.head).toBe(a.head);
          const state = await stateOf(left);
          expect(await stateOf(right)).toEqual(state);
          const { items } = await left.call('list', {});
          expect(items.map(({ etag }) => etag).toSorted()).toEqual(treeOf(left));
          for (const item of items) {
            const [last] = (await left.call('history', { key: item.key })).versions;
            expect(last?.etag).toBe(item.etag);
          }
        }
        const before = await stateOf(left);
        expect(left.git('fsck', '--strict')).toBe('');
        await left.close();
        await rm(join(left.dataDir, 'index.sqlite'), { force: true });
        await left.reopen();
        expect(await stateOf(left)).toEqual(before);
      }),
      { numRuns: Number(process.env['MERGE_RUNS'] ?? 4) },
    );
  }, 600_000);

  it('count what both did, though the same caller did it in the same request and millisecond', async () => {
    const times = fc.integer({ min: 1, max: 4 });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), times, times, async (hasBase, mine, others) => {
        const clock = createFakeClock(1_700_000_000_000);
        await using left = await openTestMemory({ clock });
        await using right = await openTestMemory({ clock });
        if (hasBase) {
          await left.call('increment', { key: 'n' });
          await takeFrom(right, left);
        }
        for (let i = 0; i < mine; i++) await left.call('increment', { key: 'n' });
        for (let i = 0; i < others; i++) await right.call('increment', { key: 'n' });
        const [ours, theirs] = [await fetchFrom(right, left), await fetchFrom(left, right)];
        const [a, b] = [await left.memory.take(theirs), await right.memory.take(ours)];
        expect(b.head).toBe(a.head);
        for (const test of [left, right]) {
          expect(await test.call('retrieve', { key: 'n' })).toMatchObject({
            value: Number(hasBase) + mine + others,
          });
          expect((await test.call('conflicts', {})).conflicts).toEqual([]);
        }
      }),
      { numRuns: 3, examples: [[true, 1, 1]] },
    );
  }, 600_000);

  it('are one where one data folder is a copy: what waited in its journal is counted once', async () => {
    const clock = createFakeClock(1_700_000_000_000);
    await using left = await openTestMemory({ clock });
    await using right = await openTestMemory({ clock });
    await left.call('store', { key: 'other', value: 1 });
    await left.memory.flush();
    await left.call('increment', { key: 'n' });
    await right.close();
    for (const name of ['journal', 'memory.git'])
      await cp(join(left.dataDir, name), join(right.dataDir, name), { recursive: true, force: true });
    await right.reopen();
    expect(await fetchFrom(right, left)).toBe(await fetchFrom(left, right));
    for (const test of [left, right]) await test.call('increment', { key: 'n' });
    const [ours, theirs] = [await fetchFrom(right, left), await fetchFrom(left, right)];
    expect(ours).not.toBe(theirs);
    await left.memory.take(theirs);
    expect(await left.call('retrieve', { key: 'n' })).toMatchObject({ value: 3 });
  });

  it('are one also where the copies commit in other groups', async () => {
    const clock = createFakeClock(1_700_000_000_000);
    const waits = { clock, flushIntervalMs: 3_600_000 };
    await using left = await openTestMemory({ ...waits, maxWritesPerCommit: 7 });
    await using right = await openTestMemory({ ...waits, maxWritesPerCommit: 100 });
    await left.call('increment', { key: 'n', by: 100 });
    await left.memory.flush();
    await left.call('store', { key: 'text', value: 'first line' });
    await left.call('increment', { key: 'n', by: 5 });
    await left.call('append', { key: 'log', items: ['before'] });
    for (let i = 0; i < 300; i++) await left.call('store', { key: `k${i}`, value: i });
    await left.call('increment', { key: 'n', by: 10 });
    await right.close();
    for (const name of ['journal', 'memory.git'])
      await cp(join(left.dataDir, name), join(right.dataDir, name), { recursive: true, force: true });
    await right.reopen();
    for (const test of [left, right]) {
      await test.call('increment', { key: 'n' });
      await test.call('append', { key: 'log', items: [test === left ? 'left' : 'right'] });
    }
    await left.call('append', { key: 'text', text: 'more' });
    const [ours, theirs] = [await fetchFrom(right, left), await fetchFrom(left, right)];
    const common = left.git('merge-base', ours, theirs).trim();
    expect(left.git('rev-list', '--count', common).trim()).toBe('1');
    const [a, b] = [await left.memory.take(theirs), await right.memory.take(ours)];
    expect(b.head).toBe(a.head);
    for (const test of [left, right]) {
      expect(await test.call('retrieve', { key: 'n' })).toMatchObject({ value: 117 });
      expect(await test.call('retrieve', { key: 'text' })).toMatchObject({ value: 'first line\nmore' });
      const log = await test.call('retrieve', { key: 'log' });
      expect((log.value as string[]).toSorted()).toEqual(['before', 'left', 'right']);
      expect((await test.call('conflicts', {})).conflicts).toEqual([]);
    }
  });
});
