import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { fetchFrom, openReplicas, takeFrom } from '../../../test/fixtures/replicas.ts';
import type { MergeStrategy } from './merge-strategy.ts';

const failing = (code: string) => expect.objectContaining({ code });

/** Two replicas of which the right one wrote last, so that it wins. */
async function openInConflict(leftValue: unknown, rightValue: unknown, baseValue?: unknown) {
  const replicas = await openReplicas(async (left) => {
    await left.call('store', { key: 'other', value: 1 });
    if (baseValue !== undefined) await left.call('store', { key: 'a/b', value: baseValue, tags: ['t'] });
  });
  const { left, right } = replicas;
  await left.call('store', { key: 'a/b', value: leftValue, tags: ['t'] }, 'ann');
  await right.call('store', { key: 'unrelated', value: 0 }, 'bob');
  await right.call('store', { key: 'a/b', value: rightValue, tags: ['t', 'u'] }, 'bob');
  await takeFrom(left, right);
  return replicas;
}

async function list(test: TestMemory, input = {}) {
  return (await test.call('conflicts', input)).conflicts;
}

const valueOf = async (test: TestMemory) => (await test.call('retrieve', { key: 'a/b' })).value;

describe('conflicts', () => {
  it('are listed with both values, by scope and prefix, a page at a time', async () => {
    await using replicas = await openInConflict({ s: 'l', x: 1 }, { s: 'r', y: 2 }, { s: '' });
    const { left, right } = replicas;
    const [one, ...more] = await list(left);
    expect(more).toEqual([]);
    const current = (await left.call('retrieve', { key: 'a/b' })).etag;
    expect(one).toMatchObject({
      key: 'a/b',
      scope: 'shared',
      path: 'shared/a/b.json',
      kind: 'value',
      fields: ['/s'],
      winner: { value: { s: 'r', y: 2 }, tags: ['t', 'u'], actor: 'bob' },
      loser: { value: { s: 'l', x: 1 }, tags: ['t'], actor: 'ann' },
      base: { value: { s: '' } },
      current,
    });
    expect(await valueOf(left)).toEqual({ s: 'r', x: 1, y: 2 });
    expect(await list(left, { prefix: 'a/' })).toHaveLength(1);
    expect(await list(left, { prefix: 'b/' })).toEqual([]);
    expect(await list(left, { scope: 'coordinator' })).toEqual([]);
    for (let i = 0; i < 3; i++) {
      await left.call('store', { key: `more/${i}`, value: 'left' }, 'ann');
      await right.call('store', { key: `more/${i}`, value: 'right' }, 'bob');
    }
    await takeFrom(left, right);
    const first = await left.call('conflicts', { limit: 3 });
    const second = await left.call('conflicts', { limit: 3, cursor: first.nextCursor });
    expect([...first.conflicts, ...second.conflicts].map(({ key }) => key)).toEqual([
      'a/b',
      'more/0',
      'more/1',
      'more/2',
    ]);
    expect(second.nextCursor).toBeUndefined();
  });

  it('are resolved to a version or a value, with the same commit, on both replicas', async () => {
    const cases = [
      { use: 'current', expected: { s: 'r', x: 1, y: 2 } },
      { use: 'winner', expected: { s: 'r', y: 2 } },
      { use: 'loser', expected: { s: 'l', x: 1 } },
      { use: 'base', expected: { s: '' } },
      { value: 'mine', expected: 'mine' },
    ] as const;
    await Promise.all(
      cases.map(async ({ expected, ...decision }) => {
        await using replicas = await openInConflict({ s: 'l', x: 1 }, { s: 'r', y: 2 }, { s: '' });
        const { left, right } = replicas;
        const { etag } = await left.call('retrieve', { key: 'a/b' });
        await expect(
          left.call('resolve', { key: 'a/b', ...decision, ifMatch: 'absent' }),
        ).rejects.toThrowError(failing('MEMORY_CHANGED'));
        const done = await left.call('resolve', { key: 'a/b', ...decision, ifMatch: etag }, 'judge');
        expect(done.resolved).toBe(1);
        expect(await valueOf(left)).toEqual(expected);
        expect(await list(left)).toEqual([]);
        expect(left.git('log', '-1', '--format=%an %s', 'main').trim()).toBe('judge resolve shared/a/b');
        await expect(left.call('resolve', { key: 'a/b', use: 'current' })).rejects.toThrowError(
          failing('NOT_FOUND'),
        );
        expect((await takeFrom(right, left)).kind).toBe('fast-forward');
        expect(await valueOf(right)).toEqual(expected);
        expect(await list(right)).toEqual([]);
        const history = await left.call('history', { key: 'a/b' });
        expect(history.versions[0]?.op).toBe(
          'use' in decision && decision.use === 'current' ? 'merge' : 'resolve',
        );
      }),
    );
  });

  it('name the deletion, and resolving to it deletes', async () => {
    await using replicas = await openReplicas((left) => left.call('store', { key: 'a/b', value: 1 }));
    const { left, right } = replicas;
    await left.call('delete', { key: 'a/b' }, 'ann');
    await right.call('store', { key: 'a/b', value: 2 }, 'bob');
    await takeFrom(left, right);
    const [one] = await list(left);
    expect(one).toMatchObject({ kind: 'deleted', winner: { value: 2 }, loser: { etag: null, actor: 'ann' } });
    const done = await left.call('resolve', { key: 'a/b', use: 'loser' });
    expect(done.etag).toBeNull();
    await expect(left.call('retrieve', { key: 'a/b' })).rejects.toThrowError(failing('MEMORY_NOT_FOUND'));
    expect(await list(left)).toEqual([]);
  });

  it('of one key are resolved one by one, or all at once', async () => {
    await using replicas = await openInConflict('left', 'right', 'base');
    const { left, right } = replicas;
    await left.call('store', { key: 'a/b', value: 'left again' }, 'ann');
    await right.call('store', { key: 'a/b', value: 'right again' }, 'bob');
    await takeFrom(left, right);
    const found = await list(left);
    expect(found).toHaveLength(2);
    await expect(left.call('resolve', { key: 'a/b', use: 'loser' })).rejects.toThrowError(
      failing('INVALID_INPUT'),
    );
    const id = found.find(({ loser }) => loser.value === 'left')?.id;
    await left.call('resolve', { key: 'a/b', use: 'loser', id });
    expect(await valueOf(left)).toBe('left');
    expect(await list(left)).toHaveLength(1);
    await left.call('resolve', { key: 'a/b', use: 'current' });
    expect(await list(left)).toEqual([]);
  });

  it('are no memories, whatever stands in them', async () => {
    await using replicas = await openInConflict('left', 'right', 'base');
    const { left } = replicas;
    expect((await left.call('list', {})).items.map(({ key }) => key)).toEqual(['a/b', 'other', 'unrelated']);
    const record = left.git('ls-tree', '-r', '--name-only', 'main', 'conflicts/').trim();
    const base = left.git('rev-parse', 'main').trim();
    const blob = left.git('rev-parse', 'main:shared/other.json').trim();
    left.git('read-tree', base);
    left.git('update-index', '--add', '--cacheinfo', `100644,${blob},${record}`);
    left.git(
      'update-index',
      '--add',
      '--cacheinfo',
      `100644,${blob},conflicts/shared/x.md/0123456789abcdef.json`,
    );
    const tree = left.git('write-tree').trim();
    left.git('update-ref', 'refs/heads/main', left.git('commit-tree', tree, '-p', base, '-m', 'odd').trim());
    await left.memory.refresh();
    expect(await list(left)).toEqual([]);
    await rm(join(left.memory.repositoryDir, 'index'), { force: true });
    await expect(left.call('resolve', { key: 'a/b', use: 'current' })).rejects.toThrowError(
      failing('NOT_FOUND'),
    );
  });
});

describe('merge strategies', () => {
  const cases: readonly [MergeStrategy, unknown, number][] = [
    ['auto', { s: 'r', x: 1, y: 2 }, 1],
    ['latest', { s: 'r', y: 2 }, 0],
    ['manual', { s: 'r', y: 2 }, 1],
    ['ours', { s: 'l', x: 1 }, 0],
    ['theirs', { s: 'r', y: 2 }, 0],
  ];
  it.each(cases)('%s', async (merge, expected, conflicts) => {
    await using replicas = await openReplicas(
      (left) => left.call('store', { key: 'a/b', value: { s: '' } }),
      {
        scopes: { 'sh*': { merge } },
      },
    );
    const { left, right } = replicas;
    await left.call('store', { key: 'a/b', value: { s: 'l', x: 1 } }, 'ann');
    await right.call('store', { key: 'later', value: 1 }, 'bob');
    await right.call('store', { key: 'a/b', value: { s: 'r', y: 2 } }, 'bob');
    const ours = await fetchFrom(right, left);
    const done = await takeFrom(left, right);
    expect(done).toMatchObject({ kind: 'merged', conflicts });
    expect(await valueOf(left)).toEqual(expected);
    const isSymmetric = merge !== 'ours' && merge !== 'theirs';
    expect((await right.memory.take(ours)).head === done.head).toBe(isSymmetric);
  });
});
