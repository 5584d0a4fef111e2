import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesHolding } from '../../../test/fixtures/files-holding.ts';
import { git, serveMemory } from '../../../test/fixtures/git-server.ts';
import { createTempFolder, openTestMemory, runGit } from '../../../test/fixtures/memory-in-temp.ts';
import {
  converge,
  createBareRemote,
  openReplica,
  sync,
  valuesOf,
} from '../../../test/fixtures/synced-memories.ts';

const word = 'xylophone';
const keep = { keep: { last: 5, daily: 0, weekly: 0 } };

describe('tombstone', () => {
  it('takes values out of what readers see, and leaves the history', async () => {
    await using test = await openTestMemory();
    for (const key of ['people/ada', 'people/bob', 'other'])
      await test.call('store', { key, value: `${word} ${key}` });
    const dry = await test.call('forget', { level: 'tombstone', prefix: 'people/', dryRun: true });
    expect(dry).toMatchObject({
      dryRun: true,
      forgotten: 2,
      keys: [{ key: 'people/ada' }, { key: 'people/bob' }],
    });
    expect((await test.call('list', {})).items).toHaveLength(3);
    const done = await test.call('forget', { level: 'tombstone', prefix: 'people/' });
    expect(done).toMatchObject({ level: 'tombstone', forgotten: 2, dryRun: false });
    expect((await test.call('search', { query: word })).hits.map(({ key }) => key)).toEqual(['other']);
    await test.memory.flush();
    expect(test.git('ls-tree', '-r', '--name-only', 'main').trim()).toBe('shared/other.md');
    expect((await test.call('history', { key: 'people/ada' })).versions).toHaveLength(2);
    expect(test.git('log', '-p', '--all')).toContain(`${word} people/ada`);
  });
});

describe('shred', () => {
  it('makes what a subject has unreadable in every place that there ever was', async () => {
    await using backups = await createTempFolder();
    await using test = await openTestMemory({ backup: { to: backups.path, ...keep } });
    const subject = 'user-42';
    await test.call('store', { key: 'profile', value: { likes: word }, tags: ['marzipan'], subject });
    await test.call('store', { key: 'note', value: `${word} again`, subject });
    await test.call('append', { key: 'note', text: 'quokka' });
    await test.call('store', { key: 'mine', value: `my own ${word}` });
    await test.call('store', { key: 'other', value: `${word} of another`, subject: 'user-43' });
    expect(await test.call('retrieve', { key: 'note' })).toMatchObject({ value: `${word} again\nquokka` });
    expect((await test.call('search', { query: word })).hits).toHaveLength(4);
    await test.memory.flush();
    await test.call('backup', {});
    const old = (await test.call('history', { key: 'profile' })).versions[0]!.commit!;
    await using elsewhere = await createTempFolder();
    runGit(elsewhere.path, 'clone', '--quiet', '--mirror', join(test.dataDir, 'memory.git'), 'clone.git');

    const dry = await test.call('forget', { level: 'shred', subject, dryRun: true });
    expect(dry).toMatchObject({ forgotten: 2, dryRun: true });
    expect(await test.call('forget', { level: 'shred', subject })).toMatchObject({ forgotten: 2 });

    await expect(test.call('retrieve', { key: 'profile' })).rejects.toMatchObject({
      code: 'MEMORY_NOT_FOUND',
    });
    await expect(test.call('retrieve', { key: 'profile', at: old })).rejects.toMatchObject({
      code: 'MEMORY_SEALED',
    });
    expect((await test.call('search', { query: word })).hits.map(({ key }) => key).sort()).toEqual([
      'mine',
      'other',
    ]);
    await test.memory.flush();
    await test.close();
    for (const place of [test.dataDir, backups.path, elsewhere.path]) {
      const found = await filesHolding(place, ['quokka', 'marzipan', `${word} again`, `${word} of another`]);
      expect(found).toEqual([]);
    }
    await test.reopen();
    expect((await test.call('search', { query: word })).hits).toHaveLength(2);
    await expect(test.call('forget', { level: 'shred', subject })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await test.call('store', { key: 'profile', value: 'new', subject });
    expect(await test.call('retrieve', { key: 'profile' })).toMatchObject({ value: 'new' });
    const { findings } = await test.call('verify', { full: true });
    expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
  });
});

/** A memory with the word in every kind of place. */
async function fill(
  test: Pick<Awaited<ReturnType<typeof openTestMemory>>, 'call' | 'memory'>,
): Promise<void> {
  for (let i = 0; i < 5; i++) await test.call('store', { key: 'person', value: `${word} ${i}` });
  for (let i = 0; i < 5; i++) await test.call('store', { key: `other/${i}`, value: { number: i } });
  await test.call('snapshot', { action: 'create', name: 'before' });
  await test.call('workspace', { action: 'create', name: 'try' });
  await test.call('store', { key: 'person', value: `${word} aside`, workspace: 'try' });
  await test.call('store', { key: 'aside', value: 'stays', workspace: 'try' });
  await test.call('store', { key: 'linking', value: 'see [[person]]' });
  await test.call('delete', { key: 'person' });
  await test.call('store', { key: 'person', value: `${word} last`, tags: [word] });
  await test.call('search', { query: word });
  await test.memory.flush();
}

describe('rewrite', () => {
  it('leaves nothing of a memory anywhere, and all else as it was', async () => {
    await using backups = await createTempFolder();
    await using test = await openTestMemory({ backup: { to: backups.path, ...keep } });
    await fill(test);
    await test.call('backup', {});
    await test.call('backup', {});
    await writeFile(join(test.dataDir, 'journal', '0000000000000001.journal.damaged'), word);
    const history = async () =>
      (await test.call('history', { key: 'other/1' })).versions.map(({ at, etag }) => [at, etag]);
    const before = await history();
    const dry = await test.call('forget', { level: 'rewrite', keys: ['person'], dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, forgotten: 1, rewritten: { files: 1, commits: 0 } });
    expect(await filesHolding(test.dataDir, [word])).not.toEqual([]);

    const done = await test.call('forget', { level: 'rewrite', keys: ['person'] });
    expect(done).toMatchObject({ forgotten: 1, rewritten: { files: 1, epoch: 1 } });
    expect(done.backup?.removed).toHaveLength(2);
    expect((await test.call('backup', { action: 'list' })).backups).toHaveLength(1);

    expect(await filesHolding(test.dataDir, [word])).toEqual([]);
    expect(await filesHolding(backups.path, [word])).toEqual([]);
    expect(existsSync(join(test.dataDir, 'erasure.json'))).toBe(false);
    expect(test.git('fsck', '--full', '--strict', '--unreachable')).toBe('');
    expect((await test.call('search', { query: word })).hits).toEqual([]);
    await expect(test.call('history', { key: 'person' })).rejects.toMatchObject({ code: 'MEMORY_NOT_FOUND' });
    expect(await history()).toEqual(before);
    expect(await test.call('retrieve', { key: 'other/3', at: 'snap:before' })).toMatchObject({
      value: { number: 3 },
    });
    expect(await test.call('retrieve', { key: 'aside', workspace: 'try' })).toMatchObject({ value: 'stays' });
    await test.call('store', { key: 'person', value: 'somebody new' });
    await test.reopen();
    expect(await test.call('retrieve', { key: 'person' })).toMatchObject({ value: 'somebody new' });
    expect(await valuesOf(test)).toMatchObject({ person: 'somebody new', 'other/4': { number: 4 } });
    const { findings } = await test.call('verify', { full: true });
    expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    await test.close();
    expect(await filesHolding(test.dataDir, [word])).toEqual([]);
  });

  it('says so when there is nothing to forget, and then changes nothing', async () => {
    await using test = await openTestMemory();
    await fill(test);
    const head = test.git('rev-parse', 'main');
    const nothing = test.call('forget', { level: 'rewrite', keys: ['nobody'] });
    await expect(nothing).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(test.git('rev-parse', 'main')).toBe(head);
    const wrong = test.call('forget', { level: 'rewrite', all: true });
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(test.call('forget', { level: 'shred', keys: ['a'] })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('keeps writes that come meanwhile', async () => {
    await using test = await openTestMemory({ flushIntervalMs: 1 });
    await fill(test);
    const forgetting = test.call('forget', { level: 'rewrite', keys: ['person'] });
    const writes = Array.from({ length: 50 }, (_, i) => test.call('store', { key: `late/${i}`, value: i }));
    await Promise.all([forgetting, ...writes]);
    await test.reopen();
    expect(Object.keys(await valuesOf(test)).filter((key) => key.startsWith('late/'))).toHaveLength(50);
    expect(await filesHolding(test.dataDir, [word])).toEqual([]);
  });

  it('is finished by the next start, wherever it was killed', async () => {
    await using test = await openTestMemory();
    await fill(test);
    await test.close();
    const job = { target: { scope: 'shared', keys: ['person'] }, left: 'history', keepBackups: true };
    await writeFile(join(test.dataDir, 'erasure.json'), JSON.stringify(job));
    await test.reopen();
    expect(await filesHolding(test.dataDir, [word])).toEqual([]);
    expect(await test.call('retrieve', { key: 'other/2' })).toMatchObject({ value: { number: 2 } });
    await test.call('store', { key: 'more', value: 1 });
    await test.close();
    // Killed after the refs had moved: all that is left is to take old objects away.
    await writeFile(join(test.dataDir, 'erasure.json'), JSON.stringify(job));
    await test.reopen();
    expect(await test.call('retrieve', { key: 'more' })).toMatchObject({ value: 1 });
    expect(existsSync(join(test.dataDir, 'erasure.json'))).toBe(false);
    await test.close();
    await writeFile(join(test.dataDir, 'erasure.json'), '{');
    await expect(test.reopen()).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  });

  it('does not come back by a clone or a remote', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await using two = await openReplica({ url: remote.path });
    await fill(one);
    await converge([one, two]);
    const done = await one.call('forget', { level: 'rewrite', keys: ['person'] });
    expect(done.notes.join(' ')).toContain('Remote origin has the old history: delete its branch main there');
    for (let round = 0; round < 2; round++)
      await expect(sync(one)).rejects.toThrow(/has history that was forgotten here; delete that branch/);
    expect(await filesHolding(one.dataDir, [word])).toEqual([]);
    await two.call('store', { key: 'from two', value: 2 });
    await sync(two);
    await expect(sync(one)).rejects.toThrow(/has history that was forgotten here/);
    expect(await filesHolding(one.dataDir, [word])).toEqual([]);
    remote.git('update-ref', '-d', 'refs/heads/main');
    remote.git('update-ref', '-d', 'refs/tags/snap/before');
    expect(await sync(one)).toMatchObject({ pushed: true });
    const clone = await createTempFolder();
    await cp(remote.path, join(clone.path, 'r.git'), { recursive: true });
    expect(remote.git('log', '-p', 'main')).not.toContain(word);
    await clone[Symbol.asyncDispose]();
  });

  it('does not come back by a push', async () => {
    await using server = await serveMemory();
    await fill(server);
    const clone = await server.clone('one');
    await clone.commit({ 'shared/mine.md': 'mine\n' });
    await server.call('forget', { level: 'rewrite', keys: ['person'] });
    const pushed = await clone.push('--force', 'main');
    expect(pushed.terminal).toContain('has history that was forgotten here; make a new clone');
    expect(pushed.code).not.toBe(0);
    expect(await filesHolding(server.dataDir, [word])).toEqual([]);
    const fresh = await server.clone('two');
    await fresh.commit({ 'shared/mine.md': 'mine\n' });
    expect(await fresh.push()).toMatchObject({ code: 0 });
    expect((await git(fresh.path, 'log', '-p')).out).not.toContain(word);
    expect(await readFile(join(fresh.path, 'shared/mine.md'), 'utf8')).toBe('mine\n');
  });
});
