import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/log.ts';
import { openKeyring } from '../encryption/keyring.ts';
import { openMemory } from '../open-memory.ts';
import { createTempFolder, openTestMemory, runGit } from '../../../test/fixtures/memory-in-temp.ts';
import { recoverMemory } from './recover.ts';

const failing = (code: string, problem: string | RegExp = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(problem) });
const caller = { actor: 'checker', agent: 'test' };
const keep = { last: 5, daily: 0, weekly: 0 };

async function keysOf(dataDir: string): Promise<string[]> {
  await using memory = await openMemory({ dataDir, logger: silentLogger });
  return (await memory.call('list', {}, caller)).items.map(({ key }) => key);
}

/** A memory with one backup, and places around it. */
async function createScene() {
  const folder = await createTempFolder();
  const backups = join(folder.path, 'backups');
  const test = await openTestMemory({ backup: { to: backups, keep } });
  await test.call('store', { key: 'one', value: 1 });
  await test.call('snapshot', { action: 'create', name: 'first' });
  const id = (await test.call('backup', {})).backups[0]?.id ?? '';
  return {
    test,
    id,
    backups,
    path: (...names: string[]) => join(folder.path, ...names),
    names: async () => (await readdir(folder.path)).toSorted(),
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('recover', () => {
  it('takes one backup by its folder or id, and never one that is not there', async () => {
    await using scene = await createScene();
    const { backups, id, path } = scene;
    await recoverMemory({ from: join(backups, id), dataDir: path('a'), replace: false });
    await recoverMemory({ from: backups, backupId: id, dataDir: path('b'), replace: false });
    expect([await keysOf(path('a')), await keysOf(path('b'))]).toEqual([['one'], ['one']]);
    for (const wrong of ['20200101T000000Z-00000000', '../x'])
      await expect(
        recoverMemory({ from: backups, backupId: wrong, dataDir: path('c'), replace: false }),
      ).rejects.toThrowError(failing('NOT_FOUND'));
    await expect(
      recoverMemory({ from: path('nowhere'), dataDir: path('c'), replace: false }),
    ).rejects.toThrowError(failing('NOT_FOUND'));
    await mkdir(path('empty'));
    await expect(
      recoverMemory({ from: path('empty'), dataDir: path('c'), replace: false }),
    ).rejects.toThrowError(failing('NOT_FOUND'));
    expect(await scene.names()).toEqual(['a', 'b', 'backups', 'empty']);
  });

  it('brings back what a passphrase needs, in place of what another one needed here', async () => {
    await using folder = await createTempFolder();
    const [first, second, backups] = ['first', 'second', 'backups'].map((name) => join(folder.path, name));
    if (!first || !second || !backups) throw new Error('unreachable');
    const open = async (dataDir: string) => {
      await mkdir(dataDir, { recursive: true });
      const keyring = openKeyring(dataDir, { main: 'a passphrase of some length' }, { shared: ['main'] });
      return openMemory({ dataDir, logger: silentLogger, keyring, backup: { to: backups, keep } });
    };
    {
      await using memory = await open(first);
      await memory.call('store', { key: 'diary', value: 'nobody reads this' }, caller);
      await memory.call('backup', {}, caller);
    }
    {
      await using other = await open(second);
      await other.call('store', { key: 'other', value: 1 }, caller);
    }
    const done = await recoverMemory({ from: backups, dataDir: second, replace: true });
    expect(done.copied).not.toContain('keys.salt');
    await using memory = await open(second);
    expect((await memory.call('retrieve', { key: 'diary' }, caller)).value).toBe('nobody reads this');
  });

  it('takes any clone, bare or not, and a bundle, with its snapshots', async () => {
    await using scene = await createScene();
    const { test, path } = scene;
    runGit(path(), 'clone', '--quiet', '--mirror', join(test.dataDir, 'memory.git'), 'mirror.git');
    runGit(path(), 'clone', '--quiet', join(test.dataDir, 'memory.git'), 'clone');
    test.git('bundle', 'create', '--quiet', path('all.bundle'), '--all');
    const url = new URL(`file://${path('clone')}`).href;
    for (const [i, from] of [path('mirror.git'), path('clone'), path('all.bundle'), url].entries()) {
      const dataDir = path(`from-${i}`);
      const done = await recoverMemory({ from, dataDir, replace: false });
      expect(done).toMatchObject({ kind: 'repository', refs: 2, commits: 1, waiting: 0 });
      await using memory = await openMemory({ dataDir, logger: silentLogger });
      const at = { key: 'one', at: 'snap:first' };
      expect((await memory.call('retrieve', at, caller)).value).toBe(1);
      // New writes go on with the numbers of the old ones.
      expect((await memory.call('store', { key: 'two', value: 2 }, caller)).seq).toBe(2);
    }
  });

  it('takes no repository without a main, no password in a URL, and no program in place of one', async () => {
    await using scene = await createScene();
    const { path } = scene;
    runGit(path(), 'init', '--quiet', '--bare', 'bare.git');
    const recover = (from: string) => recoverMemory({ from, dataDir: path('a'), replace: false });
    await expect(recover(path('bare.git'))).rejects.toThrowError(
      failing('INVALID_INPUT', 'without a branch main'),
    );
    const secret = await recover('https://me:hunter2@example.org/x.git').catch(
      (error: Error) => error.message,
    );
    expect(secret).toContain('holds a password');
    expect(secret).not.toContain('hunter2');
    await expect(recover(`ext::sh -c touch% ${path('pwned')}`)).rejects.toThrowError(failing('GIT_FAILED'));
    await expect(recover('--upload-pack=touch x://')).rejects.toThrowError();
    expect(await scene.names()).toEqual(['backups', 'bare.git']);
  });

  it('refuses a folder that is in use or not empty, and moves it aside when told to', async () => {
    await using scene = await createScene();
    const { test, backups, path } = scene;
    const into = (dataDir: string, replace: boolean) => recoverMemory({ from: backups, dataDir, replace });
    await expect(into(test.dataDir, true)).rejects.toThrowError(failing('ALREADY_RUNNING'));
    await test.call('store', { key: 'two', value: 2 });
    await test.close();
    await cp(test.dataDir, path('data'), { recursive: true });
    await writeFile(path('data', 'state.sqlite'), 'of another part');
    await expect(into(path('data'), false)).rejects.toThrowError(failing('INVALID_INPUT', 'is not empty'));
    expect(await scene.names()).toEqual(['backups', 'data']);
    const done = await into(path('data'), true);
    expect(done.copied).toEqual(['backup.json', 'state.sqlite']);
    expect(await readFile(path('data', 'state.sqlite'), 'utf8')).toBe('of another part');
    expect(await keysOf(path('data'))).toEqual(['one']);
    expect(await keysOf(done.replaced ?? '')).toEqual(['one', 'two']);
    expect((await scene.names()).length).toBe(3);
    await mkdir(path('empty'));
    expect(await into(path('empty'), false)).not.toHaveProperty('replaced');
    expect(await keysOf(path('empty'))).toEqual(['one']);
  });

  it('leaves everything as it was when the backup is not what it says', async () => {
    await using scene = await createScene();
    const { test, backups, id, path } = scene;
    await test.close();
    await cp(test.dataDir, path('data'), { recursive: true });
    const bundle = join(backups, id, 'repository.bundle');
    const good = await readFile(bundle);
    const recover = () => recoverMemory({ from: join(backups, id), dataDir: path('data'), replace: true });
    for (const at of [0, 40, good.length - 25, good.length - 1]) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(at) ^ 1, at);
      await writeFile(bundle, bad);
      await expect(recover()).rejects.toThrowError(failing('BACKUP_DAMAGED'));
    }
    await writeFile(bundle, good.subarray(0, 100));
    await expect(recover()).rejects.toThrowError(failing('BACKUP_DAMAGED'));
    expect(await scene.names()).toEqual(['backups', 'data']);
    expect(await keysOf(path('data'))).toEqual(['one']);
  });
});
