import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/log.ts';
import { openMemory } from '../open-memory.ts';
import { createTempFolder, openTestMemory, runGit } from '../../../test/fixtures/memory-in-temp.ts';
import { s3DoubleKeys, startS3Double } from '../../../test/fixtures/s3-double.ts';
import type { BackupSettings } from './backups.ts';
import { recoverMemory } from './recover.ts';

const failing = (code: string) => expect.objectContaining({ code });
const caller = { actor: 'checker', agent: 'test' };
const keep = { last: 5, daily: 0, weekly: 0 };

async function open(more: Partial<BackupSettings> = {}, options: Parameters<typeof openTestMemory>[0] = {}) {
  const folder = await createTempFolder();
  const backup = { to: join(folder.path, 'backups'), keep, ...more };
  const test = await openTestMemory({ ...options, backup });
  const recovered = join(folder.path, 'recovered');
  return {
    test,
    backup,
    recovered,
    folder: folder.path,
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** All values of a data folder, opened as a coordinator would. */
async function valuesOf(dataDir: string): Promise<Record<string, unknown>> {
  await using memory = await openMemory({ dataDir, logger: silentLogger });
  const { items } = await memory.call('list', { limit: 1000 }, caller);
  const values = items.map(
    async ({ key }) => [key, (await memory.call('retrieve', { key }, caller)).value] as const,
  );
  return Object.fromEntries(await Promise.all(values));
}

describe('backups', () => {
  it('hold every write acknowledged before, also those that wait for Git, and all refs', async () => {
    await using opened = await open({}, { flushIntervalMs: 3_600_000 });
    const { test, backup, recovered } = opened;
    await test.call('store', { key: 'a', value: 'in Git' });
    await test.call('snapshot', { action: 'create', name: 'ก่อน' });
    test.git('update-ref', 'refs/git-memory/backup/x', 'main');
    await test.call('store', { key: 'ข', value: { waits: true } });
    await test.call('store_many', {
      entries: [
        { key: 'c', value: 1 },
        { key: 'd', value: 2 },
      ],
    });
    await test.call('delete', { key: 'a' });
    const { backups, lastSuccess } = await test.call('backup', {});
    const [made] = backups;
    expect(made).toMatchObject({ lastSeq: 5, encrypted: false, head: test.git('rev-parse', 'main').trim() });
    expect(lastSuccess?.id).toBe(made?.id);
    const done = await recoverMemory({ from: backup.to, dataDir: recovered, replace: false });
    expect(done).toMatchObject({ kind: 'backup', id: made?.id, waiting: 4, refs: 3, commits: 1 });
    expect(await valuesOf(recovered)).toEqual({ ข: { waits: true }, c: 1, d: 2 });
    const git = (...args: string[]) => runGit(join(recovered, 'memory.git'), ...args);
    expect(git('for-each-ref', '--format=%(refname)', 'refs/tags', 'refs/git-memory')).toBe(
      'refs/git-memory/backup/x\nrefs/tags/snap/ก่อน\n',
    );
    // The batch is one commit, and nothing came twice.
    expect(git('log', '--format=%s', 'main')).toBe(
      'delete shared/a\n2 writes\nstore shared/ข\nstore shared/a\n',
    );
    expect(git('fsck', '--full', '--strict')).toBe('');
  });

  it('are consistent while writes go on', { timeout: 120_000 }, async () => {
    await using opened = await open({}, { flushIntervalMs: 1, maxPacks: 4 });
    const { test, backup, folder } = opened;
    const acknowledged: number[] = [];
    const started = Promise.withResolvers<void>();
    const writing = Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; i < 150; i++) {
          const { seq } = await test.call(
            'store',
            { key: `k/${writer}`, value: { writer, i } },
            `w${writer}`,
          );
          if (acknowledged.push(seq) === 100) started.resolve();
        }
      }),
    );
    await started.promise;
    const made: { id: string; before: number[] }[] = [];
    for (let i = 0; i < 3; i++) {
      const before = [...acknowledged];
      const { backups } = await test.call('backup', {});
      made.push({ id: backups[0]?.id ?? '', before });
    }
    await writing;
    for (const { id, before } of made) {
      const dataDir = join(folder, id);
      await recoverMemory({ from: backup.to, backupId: id, dataDir, replace: false });
      await using memory = await openMemory({ dataDir, logger: silentLogger });
      await memory.flush();
      const log = runGit(
        memory.repositoryDir,
        'log',
        '--format=%(trailers:key=Memory-Seq,valueonly)',
        'main',
      );
      const seqs = log.split('\n').filter(Boolean).map(Number);
      expect(new Set(seqs).size).toBe(seqs.length);
      expect(before.filter((seq) => !seqs.includes(seq))).toEqual([]);
    }
    expect(made[0]?.before.length).toBeGreaterThanOrEqual(100);
  });

  it('are encrypted and sealed in a bucket', async () => {
    await using double = await startS3Double();
    const encryptionKey = randomBytes(32).toString('base64');
    const access = { endpoint: double.endpoint, credentials: s3DoubleKeys };
    await using opened = await open({ to: 's3://bucket/git/memory', encryptionKey, ...access });
    const { test, recovered } = opened;
    await test.call('store', { key: 'a', value: 'a very telling text' });
    await test.memory.flush();
    const { backups, target } = await test.call('backup', { action: 'create' });
    expect(target).toBe('s3://bucket/git/memory');
    const id = backups[0]?.id ?? '';
    const from = `s3://bucket/git/memory/${id}`;
    expect(backups[0]).toMatchObject({ encrypted: true });
    expect((await test.call('verify', { backups: true })).findings).toEqual([]);
    for (const stored of double.objects.values()) expect(stored.includes('telling')).toBe(false);
    for (const wrong of [undefined, randomBytes(32).toString('hex')])
      await expect(
        recoverMemory({ from, access, encryptionKey: wrong, dataDir: recovered, replace: false }),
      ).rejects.toThrowError(failing('BACKUP_DAMAGED'));
    expect(await readdir(opened.folder)).toEqual([]);
    await recoverMemory({ from, access, encryptionKey, dataDir: recovered, replace: false });
    expect(await valuesOf(recovered)).toEqual({ a: 'a very telling text' });
    // Whoever cannot encrypt cannot pass off one backup's manifest for the truth either.
    const name = `git/memory/${id}/manifest.json`;
    const manifest = JSON.parse(double.objects.get(name)?.toString() ?? '') as { lastSeq: number };
    double.objects.set(name, Buffer.from(JSON.stringify({ ...manifest, lastSeq: 99 })));
    const { findings } = await test.call('verify', { backups: true });
    expect(findings).toMatchObject([{ severity: 'error', problem: 'its manifest was altered' }]);
  });

  it('keep what the rules say, list what is there, and take interrupted ones away', async () => {
    const clock = createFakeClock(Date.parse('2026-01-05T00:00:00Z'));
    await using opened = await open({ keep: { last: 2, daily: 3, weekly: 0 } }, { clock });
    const { test, backup } = opened;
    const old = join(backup.to, '20251201T000000Z-00000000');
    const fresh = join(backup.to, '20260107T000000Z-00000000');
    const strange = join(backup.to, 'notes');
    for (const folder of [old, fresh, strange]) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'repository.bundle'), 'half');
    }
    const ids: string[] = [];
    const removed: string[] = [];
    for (let i = 0; i < 6; i++) {
      await test.call('store', { key: 'n', value: i });
      const done = await test.call('backup', {});
      ids.push(done.backups[0]?.id ?? '');
      removed.push(...done.removed);
      clock.advance(12 * 3_600_000);
    }
    const listed = (await test.call('backup', { action: 'list' })).backups.map(({ id }) => id);
    // By count 5 and 4, by day 5, 3 and 1.
    expect(listed).toEqual([ids[5], ids[4], ids[3], ids[1]]);
    expect(new Set(removed)).toEqual(new Set(['20251201T000000Z-00000000', ids[0], ids[2]]));
    expect(removed).toHaveLength(3);
    expect(await readdir(backup.to)).toEqual(expect.arrayContaining(['20260107T000000Z-00000000', 'notes']));
  });

  it('never take away the last good one for a damaged one', async () => {
    const clock = createFakeClock(Date.parse('2026-01-05T00:00:00Z'));
    await using opened = await open({ keep: { last: 1, daily: 0, weekly: 0 } }, { clock });
    const { test, backup, recovered } = opened;
    await test.call('store', { key: 'a', value: 1 });
    const good = (await test.call('backup', {})).backups[0]?.id ?? '';
    const damaged = join(backup.to, '20260105T000001Z-00000000');
    await mkdir(damaged);
    await writeFile(join(damaged, 'manifest.json'), '{}');
    const { backups } = await test.call('backup', { action: 'list' });
    expect(backups.map(({ id, problem }) => [id, problem === undefined])).toEqual([
      ['20260105T000001Z-00000000', false],
      [good, true],
    ]);
    await recoverMemory({ from: backup.to, dataDir: recovered, replace: false });
    expect(await valuesOf(recovered)).toEqual({ a: 1 });
    clock.advance(60_000);
    const next = await test.call('backup', {});
    expect(next.removed).toEqual([good]);
    expect((await test.call('backup', { action: 'list' })).backups).toHaveLength(2);
  });

  it('of an empty memory are backups too', async () => {
    await using opened = await open();
    const { test, backup, recovered } = opened;
    expect((await test.call('backup', {})).backups).toMatchObject([{ head: null, lastSeq: 0 }]);
    expect(await recoverMemory({ from: backup.to, dataDir: recovered, replace: false })).toMatchObject({
      commits: 0,
    });
    expect(await valuesOf(recovered)).toEqual({});
  });

  it('that a stop interrupts are no backups, and are taken away by the next one', async () => {
    await using double = await startS3Double();
    const access = { endpoint: double.endpoint, credentials: s3DoubleKeys };
    await using opened = await open({ to: 's3://bucket', ...access });
    const { test } = opened;
    await test.call('store', { key: 'a', value: 1 });
    await test.memory.flush();
    const hangs = Promise.withResolvers<void>();
    double.hangOn = (_method, key) => {
      const isManifest = key.endsWith('manifest.json');
      if (isManifest) hangs.resolve();
      return isManifest;
    };
    const interrupted = test.call('backup', {}).catch((error: { code: string }) => error.code);
    await hangs.promise;
    await test.close();
    expect(await interrupted).toBe('SHUTTING_DOWN');
    double.hangOn = undefined;
    const [left = ''] = [...double.objects.keys()].map((key) => key.split('/')[0]);
    expect([...double.objects.keys()]).toEqual([`${left}/repository.bundle`]);
    await test.reopen();
    expect((await test.call('backup', { action: 'list' })).backups).toEqual([]);
    const { backups, removed } = await test.call('backup', {});
    expect(removed).toEqual([left]);
    const id = backups[0]?.id ?? '';
    expect([...double.objects.keys()].toSorted()).toEqual([`${id}/manifest.json`, `${id}/repository.bundle`]);
  });

  it('that a kill interrupts leave nothing behind after the next one', async () => {
    await using opened = await open();
    const { test, backup } = opened;
    const killed = '20260105T000000Z-00000000';
    await mkdir(join(backup.to, killed), { recursive: true });
    await writeFile(join(backup.to, killed, 'repository.bundle.partial'), 'half');
    await writeFile(
      join(test.dataDir, 'backup.json'),
      JSON.stringify({ target: backup.to, unfinished: killed }),
    );
    const { backups } = await test.call('backup', {});
    expect(await readdir(backup.to)).toEqual([backups[0]?.id]);
  });

  it('say what is missing in the config, and what failed', async () => {
    await using test = await openTestMemory();
    await expect(test.call('backup', {})).rejects.toThrowError(failing('INVALID_INPUT'));
    await expect(test.call('verify', { backups: true })).rejects.toThrowError(failing('INVALID_INPUT'));
    await using opened = await open();
    await writeFile(opened.backup.to, 'a file where the folder should be');
    await expect(opened.test.call('backup', {})).rejects.toThrowError(failing('STORAGE_FAILED'));
    await rm(opened.backup.to);
    const { lastError, backups } = await opened.test.call('backup', { action: 'list' });
    expect([lastError?.message, backups]).toEqual([expect.stringContaining('storage under'), []]);
    expect((await opened.test.call('backup', {})).lastError).toBeUndefined();
  });

  it(
    'are made by schedule, not again while nothing changes, and again when the last one is gone',
    { timeout: 120_000 },
    async () => {
      const clock = createFakeClock(Date.parse('2026-01-05T00:00:00Z'));
      await using opened = await open({ everyHours: 6 }, { clock });
      const { test, backup } = opened;
      const ids = async () => (await test.call('backup', { action: 'list' })).backups.map(({ id }) => id);
      const doneAt = async () => {
        const text = await readFile(join(test.dataDir, 'backup.json'), 'utf8').catch(() => '{}');
        return (JSON.parse(text) as { doneAtMs?: number }).doneAtMs ?? 0;
      };
      /** Lets half hours pass until it is so; a turn may be under way at any time. */
      const until = (isSo: () => Promise<boolean>, stepMs = 1_800_000) => {
        const look = async () => {
          clock.advance(stepMs);
          return isSo();
        };
        return expect.poll(look, { timeout: 25_000, interval: 20 }).toBe(true);
      };
      await test.call('store', { key: 'a', value: 1 });
      await until(async () => (await doneAt()) > 0, 0);
      const [first] = await ids();
      const firstAt = await doneAt();
      await until(async () => (await doneAt()) > firstAt);
      expect(await doneAt()).toBeGreaterThanOrEqual(firstAt + 6 * 3_600_000);
      expect(await ids()).toEqual([first]);
      await rm(join(backup.to, first ?? ''), { recursive: true });
      await until(async () => (await ids()).some((id) => id !== first));
      const [second] = await ids();
      await test.call('store', { key: 'a', value: 2 });
      await until(async () => (await ids()).length === 2);
      expect(await ids()).toEqual([expect.any(String), second]);
    },
  );
});
