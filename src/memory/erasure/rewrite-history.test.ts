import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { placesOf } from '../../../test/fixtures/find-bytes.ts';
import { type TestMemory, openTestMemory, runGit } from '../../../test/fixtures/memory-in-temp.ts';
import { keyPath } from '../files/key-path.ts';
import { createObjectReader } from '../git/object-reader.ts';
import { createGit } from '../git/run-git.ts';
import { type ConflictRecord, encodeConflict } from '../merge/conflict-record.ts';
import { epochRef, isOldEpoch, readEpoch, writeEpoch } from './epoch.ts';
import { listObjectFiles, purgeObjects } from './purge-objects.ts';
import { type RewrittenHistory, rewriteHistory } from './rewrite-history.ts';
import { selectPaths } from './select-paths.ts';

const secret = 'hunter2-marker';
const isPerson = (scope: string, key: string) => scope === 'shared' && key.startsWith('people/');
const isAda = (scope: string, key: string) => scope === 'shared' && key === 'people/ada';
const repositoryOf = (test: TestMemory) => join(test.dataDir, 'memory.git');

/** All steps on a repository that nobody writes to. */
async function erase(test: TestMemory, isForgotten: typeof isAda): Promise<RewrittenHistory> {
  const git = createGit(repositoryOf(test));
  await using reader = createObjectReader(git);
  const before = listObjectFiles(git.repositoryDir);
  const paths = await selectPaths({ git, reader }, isForgotten);
  const history = await rewriteHistory({ git, reader, paths, isForgotten, onProgress: () => {} });
  const { epoch } = await readEpoch(git);
  const blob = await writeEpoch(git, { epoch: epoch + 1, erased: history.erased });
  const lines = history.refs.map(({ ref, from, to }) => `update ${ref} ${to} ${from}\n`);
  await git.run(['update-ref', '--stdin', '--no-deref'], `${lines.join('')}update ${epochRef} ${blob}\n`);
  await reader.rest();
  await purgeObjects(git, before);
  return history;
}

/** Keys around a secret one, a snapshot, a branch, a backup of a ref. */
async function fill(test: TestMemory): Promise<void> {
  const call: TestMemory['call'] = (...args) => test.call(...args);
  await call('store', { key: 'a', value: 'first' });
  await test.memory.flush();
  await call('store', { key: 'people/ada', value: { note: secret } });
  await test.memory.flush();
  await call('snapshot', { action: 'create', name: 'early' });
  await call('store', { key: 'b', value: { n: 1 } });
  await test.memory.flush();
  await call('store', { key: 'people/ada', value: `${secret} again` });
  await test.memory.flush();
  await call('store_many', {
    entries: [
      { key: 'people/ada', value: `${secret} 3` },
      { key: 'people/bob', value: 'stays' },
    ],
  });
  await test.memory.flush();
  await call('delete', { key: 'people/ada' });
  await test.memory.flush();
  await call('store', { key: 'b', value: { n: 2 } });
  await test.memory.flush();
  test.git('update-ref', 'refs/heads/ws/try', 'main~2');
  test.git('update-ref', 'refs/git-memory/backup/1', 'main~1');
  await test.close();
}

const subjectsOf = (test: TestMemory, ref: string) =>
  test.git('log', '--format=%an %cI %s', '--reverse', ref).trim().split('\n');
const filesOf = (test: TestMemory, ref: string) =>
  test.git('ls-tree', '-r', '--name-only', ref).trim().split('\n');

/** Commits files on a side branch of a clone, merges it into main and pushes both. */
function pushMerge(test: TestMemory, files: Readonly<Record<string, string | Buffer>>): void {
  const clone = join(test.dataDir, 'clone');
  runGit(test.dataDir, 'clone', '-q', 'memory.git', 'clone');
  runGit(clone, 'checkout', '-q', '-b', 'side', 'HEAD~3');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    writeFileSync(join(clone, path), content);
  }
  runGit(clone, 'add', '.');
  runGit(clone, 'commit', '-qm', 'from a person');
  runGit(clone, 'checkout', '-q', 'main');
  runGit(clone, 'merge', '-q', '--no-edit', 'side');
  runGit(clone, 'push', '-q', 'origin', 'main');
}

describe('rewriting history', () => {
  it('takes a memory out of every ref and every object, and leaves the rest as it was', async () => {
    await using test = await openTestMemory();
    await fill(test);
    const before = subjectsOf(test, 'main');
    const firstCommit = test.git('rev-list', '--max-parents=0', 'main');
    expect(placesOf(secret, repositoryOf(test))).not.toEqual([]);
    const history = await erase(test, isAda);
    expect(placesOf(secret, repositoryOf(test))).toEqual([]);
    expect(placesOf('people/ada', repositoryOf(test))).toEqual([]);
    expect(test.git('fsck', '--full', '--strict')).toBe('');
    expect(subjectsOf(test, 'main')).toEqual(
      before
        .filter((line) => !line.endsWith('people/ada'))
        .map((line) => line.replace('2 writes', '1 writes')),
    );
    expect(test.git('rev-list', '--max-parents=0', 'main')).toBe(firstCommit);
    expect(filesOf(test, 'main')).toEqual(['shared/a.md', 'shared/b.json', 'shared/people/bob.md']);
    expect(filesOf(test, 'snap/early')).toEqual(['shared/a.md']);
    expect(test.git('cat-file', '-t', 'refs/tags/snap/early').trim()).toBe('tag');
    expect(history.refs.map(({ ref }) => ref).sort()).toEqual([
      'refs/git-memory/backup/1',
      'refs/heads/main',
      'refs/heads/ws/try',
      'refs/tags/snap/early',
    ]);
    expect(history.commits).toBe(Number(test.git('rev-list', '--count', 'main')));
  });

  it('makes the same objects again, and moves nothing where there is nothing to forget', async () => {
    await using test = await openTestMemory();
    await fill(test);
    const git = createGit(repositoryOf(test));
    await using reader = createObjectReader(git);
    const paths = await selectPaths({ git, reader }, isAda);
    const options = { git, reader, paths, isForgotten: isAda, onProgress: () => {} };
    expect(await rewriteHistory(options)).toEqual(await rewriteHistory(options));
    const none = await rewriteHistory({ ...options, paths: new Set(), isForgotten: () => false });
    expect(none).toMatchObject({ refs: [], erased: [], moved: new Map() });
  });

  it('finds keys by prefix, also where the path does not tell them, in every spread of a folder', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: `people/${'x'.repeat(300)}`, value: secret });
    await test.call('store', { key: 'people/Ada Lovelace', value: secret });
    const entries = Array.from({ length: 300 }, (_, i) => ({ key: `people/${i}`, value: `${secret} ${i}` }));
    for (const half of [entries.slice(0, 270), entries.slice(270)]) {
      for (let at = 0; at < half.length; at += 90)
        await test.call('store_many', { entries: half.slice(at, at + 90) });
      await test.memory.flush();
    }
    await test.call('store', { key: 'peoples', value: 'stays' });
    await test.memory.flush();
    expect(filesOf(test, 'main').some((path) => path.startsWith('shared/people/+'))).toBe(true);
    await test.close();
    await erase(test, isPerson);
    expect(placesOf(secret, repositoryOf(test))).toEqual([]);
    expect(filesOf(test, 'main')).toEqual(['shared/peoples.md']);
  });

  it('leaves an empty tree when everything is forgotten', async () => {
    await using test = await openTestMemory();
    await test.call('store', { key: 'people/ada', value: secret });
    await test.memory.flush();
    await test.close();
    await erase(test, isAda);
    expect(placesOf(secret, repositoryOf(test))).toEqual([]);
    expect(placesOf('people/ada', repositoryOf(test))).toEqual([]);
    expect(test.git('ls-tree', '-r', 'main')).toBe('');
    expect(test.git('fsck', '--full', '--strict')).toBe('');
  });

  it('keeps merges of what people pushed, drops files by any name, and what merges left open', async () => {
    await using test = await openTestMemory();
    await fill(test);
    const side = { blob: null, path: 'x', atMs: 0, actor: secret };
    const about = (key: string): ConflictRecord => ({
      kind: 'value',
      scope: 'shared',
      key,
      path: keyPath('shared', key, 'json'),
      winner: side,
      loser: side,
      base: null,
      merged: null,
      fields: [''],
      commits: [],
    });
    // The path of this record begins with a shortened name, which tells no key.
    const long = `${'x'.repeat(300)}/ada`;
    const short = encodeConflict(about(long));
    const stays = encodeConflict({
      ...about('a'),
      winner: { ...side, actor: 'b' },
      loser: { ...side, actor: 'c' },
    });
    pushMerge(test, {
      'shared/people/Ada.md': secret,
      'shared/pushed.md': 'pushed',
      'conflicts/shared/people/ada.json/1.json': JSON.stringify({ ours: secret }),
      [short.path]: short.content,
      [stays.path]: stays.content,
    });
    await erase(test, (scope, key) => isPerson(scope, key) || key === long);
    expect(placesOf(secret, repositoryOf(test))).toEqual([]);
    expect(test.git('fsck', '--full', '--strict')).toBe('');
    expect(test.git('log', '--merges', '--oneline', 'main').trim().split('\n')).toHaveLength(1);
    expect(filesOf(test, 'main')).toEqual([stays.path, 'shared/a.md', 'shared/b.json', 'shared/pushed.md']);
  });
});

describe('purging objects', () => {
  it('lets what arrived meanwhile be, and a repository without a commit too', async () => {
    await using test = await openTestMemory();
    await test.close();
    const git = createGit(repositoryOf(test));
    await purgeObjects(git, listObjectFiles(git.repositoryDir));
    const before = listObjectFiles(git.repositoryDir);
    const late = (await git.run(['hash-object', '-w', '--stdin'], 'on its way')).toString('latin1').trim();
    await purgeObjects(git, before);
    expect(test.git('cat-file', 'blob', late)).toBe('on its way');
    await purgeObjects(git, listObjectFiles(git.repositoryDir));
    expect(() => test.git('cat-file', 'blob', late)).toThrowError(/bad file/);
  });
});

describe('the epoch', () => {
  it('knows a head that still has erased history behind it', async () => {
    await using test = await openTestMemory();
    await fill(test);
    const clone = join(test.dataDir, 'clone');
    runGit(test.dataDir, 'clone', '-q', 'memory.git', 'clone');
    const git = createGit(repositoryOf(test));
    expect(await readEpoch(git)).toEqual({ epoch: 0, erased: [] });
    expect(await isOldEpoch(git, test.git('rev-parse', 'main').trim())).toBe(false);
    const { erased } = await erase(test, isAda);
    expect(await readEpoch(git)).toEqual({ epoch: 1, erased });
    expect(erased).toHaveLength(1);
    expect(await isOldEpoch(git, test.git('rev-parse', 'main').trim())).toBe(false);
    runGit(clone, 'fetch', '-q', 'origin');
    runGit(clone, 'merge', '-q', '--no-edit', '-X', 'ours', 'origin/main');
    test.git('fetch', '-q', clone, 'main:refs/git-memory/incoming/x');
    expect(await isOldEpoch(git, test.git('rev-parse', 'refs/git-memory/incoming/x').trim())).toBe(true);
  });
});
