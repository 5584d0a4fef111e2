import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type TestMemory, openTestMemory } from '../../../test/fixtures/memory-in-temp.ts';
import { addFanOut } from '../files/fan-out.ts';
import { fetchFrom, openReplicas, takeFrom } from '../../../test/fixtures/replicas.ts';

const failing = (code: string) => expect.objectContaining({ code });

async function valueOf(test: TestMemory, key: string): Promise<unknown> {
  return (await test.call('retrieve', { key })).value;
}

function conflictFiles(test: TestMemory): string[] {
  const out = test.git('ls-tree', '-r', '-z', '--name-only', 'main', 'conflicts');
  return out.split('\0').filter(Boolean);
}

async function mainOf(test: TestMemory): Promise<string> {
  await test.memory.flush();
  return test.git('rev-parse', 'main').trim();
}

describe('taking another replica', () => {
  it('moves forward, merges, and says when there is nothing to do', async () => {
    await using replicas = await openReplicas((left) => left.call('store', { key: 'a', value: 1 }));
    const { left, right } = replicas;
    expect(await valueOf(right, 'a')).toBe(1);
    await left.call('store', { key: 'b', value: { x: 1 } });
    const head = await mainOf(left);
    expect(await takeFrom(right, left)).toMatchObject({ kind: 'fast-forward', head, conflicts: 0 });
    expect(await takeFrom(right, left)).toMatchObject({ kind: 'up-to-date', head, base: head });
    await left.call('store', { key: 'b', value: { x: 1, left: true } });
    await right.call('store', { key: 'b', value: { x: 1, right: true } });
    await right.call('store', { key: 'only-right', value: 'text' });
    expect(await takeFrom(right, left)).toMatchObject({ kind: 'merged', conflicts: 0 });
    expect(await valueOf(right, 'b')).toEqual({ x: 1, left: true, right: true });
    expect(await takeFrom(left, right)).toMatchObject({ kind: 'fast-forward', head: await mainOf(right) });
    expect(await valueOf(left, 'only-right')).toBe('text');
    for (const test of [left, right]) expect(test.git('fsck', '--full', '--strict')).toBe('');
    await expect(left.memory.take('f'.repeat(40))).rejects.toThrowError(failing('INVALID_INPUT'));
    await expect(left.memory.take('main')).rejects.toThrowError(failing('INVALID_INPUT'));
  });

  it('makes the same commit on both replicas, whoever merges', async () => {
    await using replicas = await openReplicas((left) =>
      left.call('store', { key: 'a', value: { n: 1, same: true } }),
    );
    const { left, right } = replicas;
    await left.call('store', { key: 'a', value: { n: 2, same: true } }, 'ann');
    await left.call('store', { key: 'type', value: 'text' }, 'ann');
    await right.call('store', { key: 'a', value: { n: 3, same: true, more: [1] } }, 'bob');
    await right.call('store', { key: 'type', value: 5 }, 'bob');
    await Promise.all([fetchFrom(left, right), fetchFrom(right, left)]);
    const [toLeft, toRight] = await Promise.all([takeFrom(left, right), takeFrom(right, left)]);
    expect(toLeft).toMatchObject({ kind: 'merged', conflicts: 2 });
    expect(toRight.head).toBe(toLeft.head);
    for (const test of [left, right]) {
      expect(test.git('fsck', '--full', '--strict')).toBe('');
      expect(await valueOf(test, 'a')).toEqual({ n: 3, same: true, more: [1] });
      expect(conflictFiles(test)).toHaveLength(2);
      expect(test.git('ls-tree', '-r', '--name-only', 'main', 'shared').trim().split('\n')).toHaveLength(2);
    }
    expect(await takeFrom(left, right)).toMatchObject({ kind: 'up-to-date' });
  });

  it('adds up increments of both sides and keeps appends of both', async () => {
    await using replicas = await openReplicas(async (left) => {
      await left.call('increment', { key: 'visits', by: 5 });
      await left.call('store', { key: 'log', value: 'begin' });
      await left.call('store', { key: 'list', value: ['a'] });
    });
    const { left, right } = replicas;
    for (const test of [left, right]) {
      const actor = test === left ? 'ann' : 'bob';
      await test.call('increment', { key: 'visits' }, actor);
      await test.call('increment', { key: 'new', pointer: '/n', by: 2 }, actor);
    }
    await left.call('append', { key: 'log', text: 'left' });
    await right.call('append', { key: 'log', text: 'right' });
    await left.call('append', { key: 'list', items: ['b'] });
    await right.call('append', { key: 'list', items: ['c'] });
    expect(await takeFrom(left, right)).toMatchObject({ kind: 'merged', conflicts: 0 });
    expect(await valueOf(left, 'visits')).toBe(7);
    expect(await valueOf(left, 'new')).toEqual({ n: 4 });
    expect(await valueOf(left, 'log')).toBe('begin\nleft\nright');
    expect(await valueOf(left, 'list')).toEqual(['a', 'b', 'c']);
  });

  it('keeps an edit against a deletion and flags it', async () => {
    await using replicas = await openReplicas((left) => left.call('store', { key: 'a', value: 'one' }));
    const { left, right } = replicas;
    await left.call('store', { key: 'a', value: 'two' });
    await right.call('delete', { key: 'a' });
    expect(await takeFrom(left, right)).toMatchObject({ kind: 'merged', conflicts: 1 });
    expect(await valueOf(left, 'a')).toBe('two');
    const [path = ''] = conflictFiles(left);
    expect(JSON.parse(left.git('show', `main:${path}`))).toMatchObject({
      kind: 'deleted',
      key: 'a',
      scope: 'shared',
      loser: { blob: null },
    });
  });

  it('leaves one file a key when its type changed, and an index that agrees with Git', async () => {
    await using replicas = await openReplicas((left) => left.call('store', { key: 'a', value: 'text' }));
    const { left, right } = replicas;
    const head = () => left.git('rev-parse', 'main').trim();
    for (const [first, second] of [
      [left, right],
      [right, left],
    ] as const) {
      await first.call('store', { key: 'a', value: { json: head() } });
      await second.call('store', { key: 'a', value: `text one ${head()}` });
      await second.call('store', { key: 'a', value: `text two ${head()}` });
      await fetchFrom(second, first);
      await takeFrom(first, second);
      await takeFrom(second, first);
      expect(first.git('ls-tree', '-r', '--name-only', 'main', 'shared').trim()).toBe('shared/a.md');
      expect(await valueOf(first, 'a')).toBe(await valueOf(second, 'a'));
    }
    for (const test of [left, right]) {
      const before = await test.call('retrieve', { key: 'a' });
      expect((await test.call('history', { key: 'a' })).versions[0]?.etag).toBe(before.etag);
      await test.close();
      await rm(join(test.dataDir, 'index.sqlite'), { force: true });
      await test.reopen();
      const after = await test.call('retrieve', { key: 'a' });
      expect(after).toMatchObject({ value: before.value, etag: before.etag, actor: before.actor });
      expect((await test.call('history', { key: 'a' })).versions[0]?.etag).toBe(before.etag);
    }
  });

  it('counts on from the highest sequence it has seen, also after a restart', async () => {
    await using replicas = await openReplicas((left) => left.call('store', { key: 'a', value: 0 }));
    const { left, right } = replicas;
    for (let i = 0; i < 30; i++) await right.call('store', { key: 'b', value: i });
    const seen = (await right.call('store', { key: 'b', value: 'last' })).seq;
    await left.call('store', { key: 'a', value: 1 });
    await takeFrom(left, right);
    const { seq } = await left.call('store', { key: 'c', value: 1 });
    expect(seq).toBeGreaterThan(seen);
    await using third = await openTestMemory();
    await takeFrom(third, right);
    await third.reopen();
    expect((await third.call('store', { key: 'd', value: 1 })).seq).toBeGreaterThan(seen);
  });

  it('loses no write that comes while it merges', async () => {
    await using replicas = await openReplicas((left) => left.call('increment', { key: 'n' }));
    const { left, right } = replicas;
    let total = 1;
    for (let round = 0; round < 4; round++) {
      const many = (test: TestMemory) =>
        Array.from({ length: 20 }, () => test.call('increment', { key: 'n' }, test === left ? 'ann' : 'bob'));
      await Promise.all([...many(left), ...many(right)]);
      await fetchFrom(left, right);
      const taking = takeFrom(left, right);
      await Promise.all([taking, ...many(left)]);
      total += 60;
      expect(await valueOf(left, 'n')).toBe(total);
      await takeFrom(right, left);
      expect(await valueOf(right, 'n')).toBe(total);
    }
  });

  it('merges unrelated histories, with a backup of main', async () => {
    await using left = await openTestMemory();
    await using right = await openTestMemory();
    await left.call('store', { key: 'left', value: 1 });
    await left.call('store', { key: 'both', value: { left: 1 } });
    await right.call('store', { key: 'right', value: 2 });
    await right.call('store', { key: 'both', value: { right: 2 } });
    const before = await mainOf(left);
    await fetchFrom(right, left);
    const done = await takeFrom(left, right);
    expect(done).toMatchObject({ kind: 'merged', base: before, conflicts: 0 });
    expect(await valueOf(left, 'both')).toEqual({ left: 1, right: 2 });
    const backups = left.git('for-each-ref', '--format=%(objectname)', 'refs/git-memory/backup').trim();
    expect(backups).toBe(before);
    expect((await takeFrom(right, left)).kind).toBe('fast-forward');
  });

  it('merges a criss-cross as if its bases were one', async () => {
    await using replicas = await openReplicas((left) =>
      left.call('store', { key: 'a', value: 'a\nb\nc\nd\ne' }),
    );
    const { left, right } = replicas;
    await left.call('store', { key: 'a', value: 'A\nb\nc\nd\ne' });
    await right.call('store', { key: 'a', value: 'a\nb\nc\nd\nE' });
    const [ours, theirs] = [await fetchFrom(right, left), await fetchFrom(left, right)];
    await left.memory.take(theirs);
    await right.memory.take(ours);
    // Two different merges of the same two commits, as other tools would make them.
    for (const test of [left, right]) {
      const tree = test.git('rev-parse', 'main^{tree}').trim();
      const parents = test === left ? [ours, theirs] : [theirs, ours];
      const merge = test
        .git('commit-tree', tree, ...parents.flatMap((id) => ['-p', id]), '-m', `by hand ${parents[0]}`)
        .trim();
      test.git('update-ref', 'refs/heads/main', merge);
      await test.memory.refresh();
    }
    await left.call('store', { key: 'a', value: 'A\nb\nc left\nd\nE' });
    await right.call('store', { key: 'b', value: 'other' });
    expect(
      left
        .git('merge-base', '--all', 'main', await fetchFrom(left, right))
        .trim()
        .split('\n'),
    ).toHaveLength(2);
    const [mine, other] = [await fetchFrom(right, left), await fetchFrom(left, right)];
    const [a, b] = await Promise.all([left.memory.take(other), right.memory.take(mine)]);
    expect(a).toMatchObject({ kind: 'merged', conflicts: 0 });
    expect(b.head).toBe(a.head);
    expect(await valueOf(right, 'a')).toBe('A\nb\nc left\nd\nE');
  });

  it('finds a memory wherever its file lies, and leaves one file of it', async () => {
    const long = `long/${'ยาว'.repeat(60)}`;
    await using replicas = await openReplicas((left) => left.call('store', { key: long, value: { n: 0 } }));
    const { left, right } = replicas;
    await left.call('store', { key: 'k', value: 'left' }, 'ann');
    await left.call('store', { key: long, value: { n: 0, left: 1 } }, 'ann');
    await right.call('store', { key: long, value: { n: 0, right: 2 } }, 'bob');
    const place = `${addFanOut('shared/k', 'k', 2)}.md`;
    await commitFiles(right, { [place]: '---\nkey: "k"\n---\nright\n', '"odd\\377"': 'no UTF-8' });
    expect(await valueOf(right, 'k')).toBe('right');
    await fetchFrom(right, left);
    expect(await takeFrom(left, right)).toMatchObject({ kind: 'merged', conflicts: 1 });
    const files = left.git('ls-tree', '-r', '--name-only', 'main').trim().split('\n');
    expect(files.filter((path) => path.endsWith('/k.md'))).toHaveLength(1);
    expect(files).toContain('"odd\\377"');
    expect(await valueOf(left, long)).toEqual({ n: 0, left: 1, right: 2 });
    const { conflicts } = await left.call('conflicts', { prefix: 'k' });
    expect(conflicts).toMatchObject([{ key: 'k' }]);
    const values = [conflicts[0]?.winner.value, conflicts[0]?.loser.value];
    expect(new Set(values)).toEqual(new Set(['left', 'right']));
    expect(await valueOf(left, 'k')).toBe(values[0]);
    expect((await takeFrom(right, left)).kind).toBe('fast-forward');
    expect(await valueOf(right, 'k')).toBe(values[0]);
  });

  it('merges files that are no memories by path and by line', async () => {
    await using replicas = await openReplicas((left) => left.call('store', { key: 'a', value: 1 }));
    const { left, right } = replicas;
    await commitFiles(left, { 'README.md': '1\n2\n3\n4\n', 'bin/x': 'x' });
    await takeFrom(right, left);
    await commitFiles(left, { 'README.md': 'one\n2\n3\n4\n', 'bin/x': 'left', docs: 'a file' });
    await commitFiles(right, { 'README.md': '1\n2\n3\nfour\n', 'bin/x': 'right', 'docs/a': 'in a folder' });
    await fetchFrom(right, left);
    const done = await takeFrom(left, right);
    expect(done).toMatchObject({ kind: 'merged', conflicts: 2 });
    expect(left.git('show', 'main:README.md')).toBe('one\n2\n3\nfour\n');
    expect(left.git('show', 'main:docs/a')).toBe('in a folder');
    expect(left.git('ls-tree', 'main', 'bin/x')).toMatch(/^100755 blob/);
    const [record = ''] = conflictFiles(left).filter((path) => path.startsWith('conflicts/docs/'));
    const { loser } = JSON.parse(left.git('show', `main:${record}`)) as { loser: { blob: string } };
    expect(left.git('cat-file', 'blob', loser.blob)).toBe('a file');
    expect(left.git('fsck', '--full', '--strict')).toBe('');
    expect((await takeFrom(right, left)).kind).toBe('fast-forward');
  });
});

/** Commits files as a person does who pushes, and lets the memory see it. */
async function commitFiles(test: TestMemory, files: Readonly<Record<string, string>>): Promise<void> {
  await test.memory.flush();
  const base = test.git('rev-parse', 'main').trim();
  const changes = Object.entries(files).map(
    ([path, text]) => `M 100755 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`,
  );
  const head = `commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 4\nedit\nfrom ${base}\n`;
  const args = [`--git-dir=${test.memory.repositoryDir}`, 'fast-import', '--quiet', '--force'];
  execFileSync('git', args, { input: head + changes.join(''), stdio: ['pipe', 'ignore', 'inherit'] });
  await test.memory.refresh();
}
