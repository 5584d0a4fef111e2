/** What users of other memories complain about, as far as replicas go: each must not happen here. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type TestMemory, openTestMemory, runGit } from '../../../test/fixtures/memory-in-temp.ts';
import { fetchFrom, openReplicas, takeFrom } from '../../../test/fixtures/replicas.ts';

const valueOf = async (test: TestMemory, key: string) => (await test.call('retrieve', { key })).value;

describe('complaints about other memories', () => {
  it('2. "a forced push wiped 79 files": a rewritten other side takes nothing away, and both states are kept', async () => {
    await using replicas = await openReplicas((left) => left.call('store', { key: 'first', value: 1 }));
    const { left, right } = replicas;
    const start = left.git('rev-parse', 'main').trim();
    const entries = Array.from({ length: 79 }, (_, i) => ({ key: `notes/${i}`, value: `note ${i}` }));
    await left.call('store_many', { entries });
    await takeFrom(right, left);
    const before = await fetchFrom(left, right);
    // The other side goes back to the start and on from there, without the 79.
    const tree = right.git('rev-parse', `${start}^{tree}`).trim();
    const rewritten = right.git('commit-tree', tree, '-p', start, '-m', 'forced').trim();
    const mine = left.git('rev-parse', 'main').trim();
    left.git('fetch', '--quiet', right.memory.repositoryDir, rewritten);
    const done = await left.memory.take(rewritten, before);
    expect(done).toMatchObject({ kind: 'merged', conflicts: 0 });
    expect((await left.call('list', { prefix: 'notes/' })).items).toHaveLength(79);
    const kept = left.git('for-each-ref', '--format=%(objectname)', 'refs/git-memory/backup').trim();
    expect(new Set(kept.split('\n'))).toEqual(new Set([mine, before]));
    // A forced push into the repository itself is refused.
    const push = () =>
      execFileSync(
        'git',
        ['push', '--quiet', '--force', left.memory.repositoryDir, `${start}:refs/heads/main`],
        {
          cwd: right.memory.repositoryDir,
          stdio: 'pipe',
        },
      );
    expect(push).toThrowError(/denied|rejected|non-fast-forward/i);
    expect((await left.call('list', { prefix: 'notes/' })).items).toHaveLength(79);
  });

  it('3. "a headless run exits on a merge conflict": every conflict has a value, and writes go on', async () => {
    await using replicas = await openReplicas(async (left) => {
      for (const key of ['text', 'json', 'type', 'gone']) await left.call('store', { key, value: 'base' });
    });
    const { left, right } = replicas;
    await left.call('store', { key: 'text', value: 'left' }, 'ann');
    await right.call('store', { key: 'text', value: 'right' }, 'bob');
    await left.call('store', { key: 'json', value: { a: [1] } }, 'ann');
    await right.call('store', { key: 'json', value: { a: 'x' } }, 'bob');
    await left.call('store', { key: 'type', value: 1 }, 'ann');
    await right.call('store', { key: 'type', value: 'other text' }, 'bob');
    await left.call('delete', { key: 'gone' }, 'ann');
    await right.call('store', { key: 'gone', value: 'not gone' }, 'bob');
    expect(await takeFrom(left, right)).toMatchObject({ kind: 'merged', conflicts: 4 });
    for (const { key } of (await left.call('list', {})).items) {
      await left.call('store', { key, value: `${String(await valueOf(left, key))} and on` });
    }
    expect((await takeFrom(right, left)).kind).toBe('fast-forward');
    expect(await valueOf(right, 'gone')).toBe('not gone and on');
    expect((await left.call('conflicts', {})).conflicts).toHaveLength(4);
  });

  it('4. "sync drops the newer of two changes": the newer one counts, and the older one is kept', async () => {
    await using replicas = await openReplicas((left) => left.call('store', { key: 'a', value: 0 }));
    const { left, right } = replicas;
    for (let round = 0; round < 3; round++) {
      const [older, newer] = round % 2 === 0 ? [left, right] : [right, left];
      const others = (await older.call('conflicts', {})).conflicts.length;
      const first = await older.call('store', { key: 'a', value: `older ${round}` }, 'zed');
      let last = await newer.call('store', { key: 'a', value: `newer ${round}` }, 'ann');
      while (last.seq <= first.seq)
        last = await newer.call('store', { key: 'a', value: `newer ${round} ${last.seq}` }, 'ann');
      const expected = await valueOf(newer, 'a');
      await takeFrom(older, newer);
      expect(await valueOf(older, 'a')).toBe(expected);
      const { conflicts } = await older.call('conflicts', {});
      expect(conflicts).toHaveLength(others + 1);
      expect(conflicts.map(({ loser }) => loser.value)).toContain(`older ${round}`);
      await takeFrom(newer, older);
      expect(await valueOf(newer, 'a')).toBe(expected);
    }
  });

  it('5. "two people editing one big file always conflict": only the same lines or fields do', async () => {
    const lines = Array.from({ length: 2000 }, (_, i) => `line ${i}`);
    const fields = Object.fromEntries(lines.map((line, i) => [line, i]));
    await using replicas = await openReplicas(async (left) => {
      await left.call('store', { key: 'page', value: lines.join('\n') });
      await left.call('store', { key: 'table', value: fields });
    });
    const { left, right } = replicas;
    const change = async (test: TestMemory, from: number, word: string) => {
      const changed = lines.map((line, i) => (i % 20 === from ? `${line} ${word}` : line));
      await test.call('store', { key: 'page', value: changed.join('\n') }, word);
      const edits = Object.fromEntries(lines.filter((_, i) => i % 20 === from).map((line) => [line, word]));
      await test.call('store', { key: 'table', value: { ...fields, ...edits } }, word);
    };
    await change(left, 0, 'left');
    await change(right, 10, 'right');
    expect(await takeFrom(left, right)).toMatchObject({ kind: 'merged', conflicts: 0 });
    const page = String(await valueOf(left, 'page')).split('\n');
    expect([page[0], page[10], page[20], page[30]]).toEqual([
      'line 0 left',
      'line 10 right',
      'line 20 left',
      'line 30 right',
    ]);
    expect(await valueOf(left, 'table')).toMatchObject({ 'line 0': 'left', 'line 10': 'right', 'line 5': 5 });
  });

  it('a person who pushes a merge of their own is taken as they are', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 'one' });
    await test.memory.flush();
    const clone = join(test.dataDir, 'clone');
    runGit(test.dataDir, 'clone', '--quiet', 'memory.git', 'clone');
    runGit(clone, 'checkout', '--quiet', '-b', 'side');
    runGit(clone, 'rm', '--quiet', 'shared/a.md');
    runGit(clone, 'commit', '--quiet', '-m', 'away');
    await test.call('store', { key: 'b', value: 'two' });
    await test.memory.flush();
    runGit(clone, 'checkout', '--quiet', 'main');
    runGit(clone, 'pull', '--quiet');
    runGit(clone, 'merge', '--quiet', '--no-ff', '-m', 'by hand', 'side');
    runGit(clone, 'push', '--quiet', 'origin', 'main');
    await test.memory.refresh();
    expect((await test.call('list', {})).items.map(({ key }) => key)).toEqual(['b']);
  });
});
