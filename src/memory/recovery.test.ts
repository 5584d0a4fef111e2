import { appendFile, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import { silentLogger } from '../kernel/log.ts';
import { openMemory } from './open-memory.ts';
import { createTempFolder, openTestMemory, runGit } from '../../test/fixtures/memory-in-temp.ts';
import { writeAndKill } from '../../test/fixtures/write-and-kill.ts';

const failing = (code: string) => expect.objectContaining({ code });
const caller = { actor: 'tester', agent: 'test' };

describe('a killed coordinator', () => {
  it('loses nothing acknowledged, applies nothing twice, and leaves a clean repository', async () => {
    await using folder = await createTempFolder();
    const dataDir = folder.path;
    const acknowledged: string[] = [];
    for (const [round, killAfter] of [150, 400, 777].entries()) {
      acknowledged.push(...(await writeAndKill(dataDir, round, killAfter)));
    }
    await using memory = await openMemory({ dataDir, logger: silentLogger });
    await memory.flush();
    const inHistory: string[] = [];
    for (let i = 0; i < 20; i++) {
      const key = `k/${i}`;
      const { versions } = await memory.call('history', { key, limit: 1000 }, caller);
      inHistory.push(...versions.map((version) => `${key} ${version.etag}`));
      const log = runGit(memory.repositoryDir, 'log', '--format=%H', '--', `shared/${key}.json`)
        .trim()
        .split('\n');
      expect(log).toEqual(versions.map((version) => version.commit));
    }
    expect(acknowledged.length).toBeGreaterThan(1300);
    expect(new Set(inHistory).size).toBe(inHistory.length);
    const known = new Set(inHistory);
    expect(acknowledged.filter((line) => !known.has(line))).toEqual([]);
    const seqs = runGit(
      memory.repositoryDir,
      'log',
      '--format=%(trailers:key=Memory-Seq,valueonly,separator=%x0A)',
    );
    const numbers = seqs.split('\n').filter(Boolean).map(Number);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(runGit(memory.repositoryDir, 'fsck', '--full', '--strict')).toBe('');
    expect(await readdir(join(memory.repositoryDir, 'objects', 'pack'))).not.toContainEqual(
      expect.stringMatching(/\.keep$|^tmp_/),
    );
  });
});

describe('the journal', () => {
  it('replays what Git has not got, past a torn tail', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 3_600_000 });
    await test.call('store', { key: 'a', value: 1 });
    await test.call('store', { key: 'b', value: 'kept' });
    const journal = join(test.dataDir, 'journal');
    const [name = ''] = (await readdir(journal)).filter((file) => file.endsWith('.journal'));
    const bytes = await readFile(join(journal, name));
    await test.close();
    // As a crash leaves it: nothing in Git, and the last record half written.
    await rm(join(test.dataDir, 'memory.git'), { recursive: true });
    await rm(join(journal, 'landed.json'));
    await writeFile(join(journal, name), bytes);
    await appendFile(join(journal, name), bytes.subarray(16, 60));
    await test.reopen();
    expect((await test.call('retrieve', { key: 'b' })).value).toBe('kept');
    expect((await test.call('search', { query: 'kept' })).hits).toHaveLength(1);
    await test.memory.flush();
    expect(test.git('rev-list', '--count', 'main').trim()).toBe('2');
    await test.call('store', { key: 'c', value: 3 });
    await test.reopen();
    expect((await test.call('list', {})).items.map((item) => item.key)).toEqual(['a', 'b', 'c']);
    expect((await readdir(journal)).filter((file) => file.endsWith('.journal'))).toEqual([]);
  });

  it('does not acknowledge what the disk did not take, and goes on when there is room', async () => {
    let roomBytes = 1500;
    await using test = await openTestMemory({
      flushIntervalMs: 3_600_000,
      journalDisk: {
        async write(handle, bytes, position) {
          const part = bytes.subarray(0, roomBytes);
          roomBytes -= part.length;
          await handle.write(part, 0, part.length, position);
          if (part.length < bytes.length) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        },
        sync: (handle) => handle.datasync(),
      },
    });
    const write = (i: number) => test.call('store', { key: `k${i}`, value: 'x'.repeat(100) });
    const results: PromiseSettledResult<unknown>[] = [];
    for (let i = 0; i < 12; i++) results.push(...(await Promise.allSettled([write(i)])));
    const stored = results.filter((one) => one.status === 'fulfilled').length;
    expect(stored).toBeGreaterThan(2);
    expect(stored).toBeLessThan(12);
    for (const one of results)
      if (one.status === 'rejected') expect(one.reason).toEqual(failing('DISK_FULL'));
    expect((await test.call('list', {})).items).toHaveLength(stored);
    roomBytes = 1_000_000;
    await write(100);
    await test.reopen();
    expect((await test.call('list', {})).items).toHaveLength(stored + 1);
  });
});

describe('a repository that cannot be written', () => {
  it('keeps acknowledged writes in the journal, shows them, and commits them later', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 3_600_000 });
    await test.call('store', { key: 'a', value: 1 });
    await test.memory.flush();
    const lock = join(test.dataDir, 'memory.git/refs/heads/main.lock');
    await writeFile(lock, '');
    await test.call('store', { key: 'a', value: 2 });
    await expect(test.memory.flush()).rejects.toThrowError(failing('GIT_FAILED'));
    expect((await test.call('retrieve', { key: 'a' })).value).toBe(2);
    const { versions } = await test.call('history', { key: 'a' });
    expect(versions).toMatchObject([{ commit: null }, { commit: expect.stringMatching(/^[0-9a-f]{40}$/) }]);
    expect((await test.call('stats', {})).journalPending).toBe(1);
    await test.close();
    await rm(lock);
    await test.reopen();
    expect((await test.call('retrieve', { key: 'a' })).value).toBe(2);
    await test.memory.flush();
    expect((await test.call('history', { key: 'a' })).versions).toHaveLength(2);
    expect(test.git('rev-list', '--count', 'main').trim()).toBe('2');
    expect(test.git('fsck', '--full', '--strict')).toBe('');
  });
});

describe('the index', () => {
  it('is made anew from Git, with the same answers, when it is gone or damaged', async () => {
    // How old a memory is counts in its score.
    await using test = await openTestMemory({ clock: createFakeClock(1_700_000_000_000) });
    await test.call('store', { key: 'a', value: 'alpha', tags: ['t'] }, 'ann');
    await test.call('store', { key: 'a', value: { now: 'json' } }, 'bob');
    await test.call('store', { key: 'x'.repeat(300), value: 'long key' });
    await test.call('store', { key: 'gone', value: 1 });
    await test.call('delete', { key: 'gone' });
    const answers = async () => [
      await test.call('list', {}),
      await test.call('history', { key: 'a' }),
      await test.call('history', { key: 'gone' }),
      await test.call('history', { key: 'x'.repeat(300) }),
      await test.call('search', { query: 'long json' }),
      await test.call('stats', {}),
      await test.call('retrieve', { key: 'a' }),
    ];
    await test.memory.flush();
    const before = await answers();
    const file = join(test.dataDir, 'index.sqlite');
    await test.close();
    await rm(file);
    await test.reopen();
    expect(await answers()).toEqual(before);
    await test.close();
    const bytes = await readFile(file);
    await writeFile(file, bytes.fill(7, 4096, 20_000));
    await test.reopen();
    expect(await answers()).toEqual(before);
    await test.close();
    await writeFile(file, 'not a database at all'.repeat(100));
    await test.reopen();
    expect(await answers()).toEqual(before);
  });
});

describe('a person with a clone', () => {
  async function cloneOf(dataDir: string) {
    const clone = join(dataDir, 'clone');
    runGit(dataDir, 'clone', '--quiet', 'memory.git', 'clone');
    const push = async (path: string, content: string | null) => {
      if (content === null) runGit(clone, 'rm', '--quiet', path);
      else {
        await writeFile(join(clone, path), content);
        runGit(clone, 'add', '.');
      }
      runGit(clone, 'commit', '--quiet', '--message', `edit ${path}`);
      runGit(clone, 'push', '--quiet', 'origin', 'main');
    };
    return { clone, push };
  }

  it('pushes edits that readers see, and none is lost under our own writes', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 3_600_000 });
    await test.call('store', { key: 'a', value: 'one' });
    await test.memory.flush();
    const { clone, push } = await cloneOf(test.dataDir);
    await test.call('store', { key: 'ours', value: 'waiting in the journal' });
    await push('shared/a.md', 'two\n');
    await push('shared/Their Notes.md', '---\ntags: [pushed]\n---\nfrom outside\n');
    await test.memory.refresh();
    expect(await test.call('retrieve', { key: 'a' })).toMatchObject({ value: 'two', actor: 'Ada' });
    expect((await test.call('search', { query: 'outside', tags: ['pushed'] })).hits).toMatchObject([
      { key: 'Their Notes' },
    ]);
    await push('shared/a.md', 'three\n');
    await test.memory.flush();
    expect((await test.call('retrieve', { key: 'a' })).value).toBe('three');
    expect((await test.call('history', { key: 'a' })).versions.map((version) => version.actor)).toEqual([
      'Ada',
      'Ada',
      'tester',
    ]);
    expect((await test.call('retrieve', { key: 'ours' })).commit).toMatch(/^[0-9a-f]{40}$/);
    runGit(clone, 'pull', '--quiet', '--rebase');
    await push('shared/a.md', null);
    await test.memory.refresh();
    await expect(test.call('retrieve', { key: 'a' })).rejects.toThrowError(failing('MEMORY_NOT_FOUND'));
    await test.call('store', { key: 'Their Notes', value: 'taken over' });
    await test.memory.flush();
    expect(test.git('ls-tree', '-r', '--name-only', 'main').trim().split('\n')).toEqual([
      'shared/%54heir%20%4eotes.md',
      'shared/ours.md',
    ]);
    expect(test.git('fsck', '--full', '--strict')).toBe('');
  });

  it('merges with Git, and the index agrees with the tree', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 3_600_000 });
    for (const key of ['a', 'b', 'c']) await test.call('store', { key, value: `${key} base` });
    await test.memory.flush();
    const { clone } = await cloneOf(test.dataDir);
    await writeFile(join(clone, 'shared/a.md'), 'a theirs\n');
    await writeFile(join(clone, 'shared/b.md'), 'b theirs\n');
    runGit(clone, 'commit', '--quiet', '--all', '--message', 'theirs');
    await test.call('store', { key: 'a', value: 'a ours' });
    await test.call('store', { key: 'c', value: 'c ours' });
    await test.memory.flush();
    runGit(clone, 'fetch', '--quiet');
    runGit(clone, 'merge', '--quiet', '--strategy-option=theirs', 'origin/main');
    runGit(clone, 'push', '--quiet', 'origin', 'main');
    await test.memory.refresh();
    const values = async () =>
      Promise.all(['a', 'b', 'c'].map(async (key) => (await test.call('retrieve', { key })).value));
    expect(await values()).toEqual(['a ours', 'b theirs', 'c ours']);
    const versions = (await test.call('history', { key: 'a' })).versions.length;
    expect(versions).toBeGreaterThanOrEqual(3);
    await test.close();
    await rm(join(test.dataDir, 'index.sqlite'));
    await test.reopen();
    expect(await values()).toEqual(['a ours', 'b theirs', 'c ours']);
  });

  it('cannot force, delete or touch our own refs', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 1 });
    await test.call('store', { key: 'a', value: 2 });
    await test.memory.flush();
    const { clone } = await cloneOf(test.dataDir);
    runGit(clone, 'reset', '--quiet', '--hard', 'HEAD~1');
    const head = test.git('rev-parse', 'main');
    for (const refspec of ['+main:main', ':main', 'main:refs/git-memory/x']) {
      expect(() => runGit(clone, 'push', '--quiet', 'origin', refspec)).toThrowError();
    }
    expect(test.git('rev-parse', 'main')).toBe(head);
  });

  it('that rewrote main by hand in the repository gets an index of what is there', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'a', value: 1 });
    await test.call('store', { key: 'b', value: 2 });
    await test.memory.flush();
    test.git('update-ref', 'refs/heads/main', 'main~1');
    await test.memory.refresh();
    expect((await test.call('list', {})).items.map((item) => item.key)).toEqual(['a']);
    await test.call('store', { key: 'c', value: 3 });
    await test.memory.flush();
    expect(test.git('ls-tree', '-r', '--name-only', 'main').trim()).toBe('shared/a.json\nshared/c.json');
  });
});
