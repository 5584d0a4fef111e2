import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../kernel/clock.ts';
import { eventually } from '../../../test/e2e/eventually.ts';
import { createTempFolder, runGit } from '../../../test/fixtures/memory-in-temp.ts';
import {
  converge,
  createBareRemote,
  headOf,
  openReplica,
  sync,
  valuesOf,
} from '../../../test/fixtures/synced-memories.ts';

describe('two replicas of a remote', () => {
  it('exchange memories, from an empty remote on', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await using two = await openReplica({ url: remote.path });
    expect(await sync(two)).toMatchObject({ pulled: false, pushed: false, ahead: null });
    await one.call('store', { key: 'อาหาร', value: 'ข้าวผัด', tags: ['food'] });
    expect(await sync(one)).toMatchObject({ pushed: true, pulled: false, ahead: 0, behind: 0 });
    expect(await sync(two)).toMatchObject({ pulled: true, pushed: false });
    expect(await two.call('retrieve', { key: 'อาหาร' })).toMatchObject({ value: 'ข้าวผัด', tags: ['food'] });
    expect(headOf(one)).toBe(headOf(two));
    expect(remote.git('rev-parse', 'main').trim()).toBe(headOf(one));
    expect(await sync(one)).toMatchObject({ pushed: false, pulled: false });
  });

  it('converge while both write', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await using two = await openReplica({ url: remote.path });
    await one.call('store', { key: 'visits', value: 0 });
    await converge([one, two]);
    const work = [one, two].map(async (replica, at) => {
      for (let i = 0; i < 40; i++) {
        await replica.call('store', { key: `own/${at}/${i}`, value: i });
        await replica.call('store', { key: `both/${i % 5}`, value: { [`field${at}`]: i } });
        await replica.call('increment', { key: 'visits' });
        if (i % 10 === 9) await sync(replica);
      }
    });
    await Promise.all(work);
    await converge([one, two]);
    const values = await valuesOf(one);
    expect(await valuesOf(two)).toEqual(values);
    expect(Object.keys(values)).toHaveLength(86);
    expect(values['visits']).toBe(80);
    expect(remote.git('fsck', '--strict')).toBe('');
  });

  it('meet again after a week offline', async () => {
    const clock = createFakeClock(Date.UTC(2026, 0, 1));
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await using two = await openReplica({ url: remote.path }, { clock });
    await one.call('store', { key: 'a', value: 'start' });
    await sync(one);
    await two.call('sync', {});
    const away = `${remote.path}.away`;
    runGit(remote.folder, 'clone', '--quiet', '--mirror', remote.path, away);
    await using gone = await openReplica({ url: join(remote.folder, 'nowhere.git') });
    const { remotes } = await gone.call('sync', {});
    expect(remotes[0]).toMatchObject({ state: 'failing', lastError: { failures: 1 } });
    expect(remotes[0]?.lastError?.message).toMatch(/there is no repository .*make an empty one there/);
    for (let day = 0; day < 7; day++) {
      await one.call('store', { key: `day/${day}`, value: day });
      await sync(one);
      clock.advance(86_400_000);
      await two.call('store', { key: 'a', value: `mine ${day}` });
    }
    await sync(two);
    await sync(one);
    expect(headOf(one)).toBe(headOf(two));
    expect(await one.call('retrieve', { key: 'a' })).toMatchObject({ value: 'mine 6' });
    expect(await two.call('retrieve', { key: 'day/6' })).toMatchObject({ value: 6 });
  });

  it('exchange snapshots, and none is overwritten', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await using two = await openReplica({ url: remote.path });
    await one.call('store', { key: 'a', value: 1 });
    await one.call('snapshot', { action: 'create', name: 'แรก' });
    await sync(one);
    await sync(two);
    expect(await two.call('retrieve', { key: 'a', at: 'snap:แรก' })).toMatchObject({ value: 1 });
    await one.call('snapshot', { action: 'create', name: 'same' });
    await two.call('store', { key: 'a', value: 2 });
    await two.call('snapshot', { action: 'create', name: 'same' });
    await sync(one);
    const there = await sync(two);
    expect(there.notes).toEqual(['the snapshot same stands for something else there; both stay']);
    expect(await two.call('retrieve', { key: 'a', at: 'snap:same' })).toMatchObject({ value: 2 });
    expect(await one.call('retrieve', { key: 'a', at: 'snap:same' })).toMatchObject({ value: 1 });
  });

  it('settle a lost race by themselves', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await using two = await openReplica({ url: remote.path });
    await one.call('store', { key: 'start', value: 0 });
    await converge([one, two]);
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const replica = i % 2 === 0 ? one : two;
        await replica.call('store', { key: `k/${i}`, value: i });
        await sync(replica);
      }),
    );
    await converge([one, two]);
    expect(Object.keys(await valuesOf(two))).toHaveLength(13);
  });
});

describe.skipIf(process.platform === 'win32')('a push that comes second', () => {
  it('is made anew on top of the first', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await one.call('store', { key: 'a', value: 'start' });
    await sync(one);
    const clone = join(remote.folder, 'clone');
    runGit(remote.folder, 'clone', '--quiet', remote.path, clone);
    await writeFile(join(clone, 'shared', 'first.md'), 'first\n');
    runGit(clone, 'add', '.');
    runGit(clone, 'commit', '--quiet', '-m', 'first');
    runGit(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/side');
    // While our push is under way, somebody else's lands.
    const hook = `#!/bin/sh
[ -e landed ] && exit 0
touch landed
unset GIT_QUARANTINE_PATH
git update-ref refs/heads/main refs/heads/side
`;
    await mkdir(join(remote.path, 'hooks'), { recursive: true });
    await writeFile(join(remote.path, 'hooks', 'pre-receive'), hook, { mode: 0o755 });
    await one.call('store', { key: 'b', value: 'second' });
    expect(await sync(one)).toMatchObject({ pulled: true, pushed: true, ahead: 0, behind: 0 });
    expect(await valuesOf(one)).toEqual({ a: 'start', b: 'second', first: 'first' });
    expect(remote.git('rev-parse', 'main').trim()).toBe(headOf(one));
    remote.git('merge-base', '--is-ancestor', 'side', 'main');
  });

  it('shows the words of a remote that refuses it', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await mkdir(join(remote.path, 'hooks'), { recursive: true });
    const hook = '#!/bin/sh\necho "GH006: Protected branch update failed" >&2\nexit 1\n';
    await writeFile(join(remote.path, 'hooks', 'pre-receive'), hook, { mode: 0o755 });
    await one.call('store', { key: 'a', value: 1 });
    const failure = await sync(one).catch((error: Error) => error.message);
    expect(failure).toContain('the remote did not take the push');
    expect(failure).toContain('GH006: Protected branch update failed');
  });
});

describe('odd remotes', () => {
  it('that were rewritten: nothing is lost, and what was known is kept', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await one.call('store', { key: 'a', value: 'one' });
    await one.call('store', { key: 'b', value: 'two' });
    await sync(one);
    const before = headOf(one);
    const clone = join(remote.folder, 'clone');
    runGit(remote.folder, 'clone', '--quiet', remote.path, clone);
    runGit(clone, 'reset', '--quiet', '--hard', 'HEAD~1');
    await writeFile(join(clone, 'shared', 'c.md'), 'three\n');
    runGit(clone, 'add', '.');
    runGit(clone, 'commit', '--quiet', '-m', 'rewritten');
    runGit(clone, 'push', '--quiet', '--force', 'origin', 'main');
    const done = await sync(one);
    expect(done.notes[0]).toContain('the remote was rewritten');
    expect(Object.keys(await valuesOf(one)).sort()).toEqual(['a', 'b', 'c']);
    expect(one.git('for-each-ref', '--format=%(objectname)', 'refs/git-memory/backup/')).toContain(before);
    expect(remote.git('merge-base', '--is-ancestor', before, 'main')).toBe('');
  });

  it('that went back get what they lost', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await one.call('store', { key: 'a', value: 'one' });
    await one.call('store', { key: 'a', value: 'two' });
    await sync(one);
    remote.git('update-ref', 'refs/heads/main', 'refs/heads/main~1');
    expect((await sync(one)).notes[0]).toContain('the remote was rewritten');
    expect(remote.git('rev-parse', 'main').trim()).toBe(headOf(one));
    remote.git('update-ref', '-d', 'refs/heads/main');
    await sync(one);
    expect(remote.git('rev-parse', 'main').trim()).toBe(headOf(one));
  });

  it('with a history of their own are merged, after a backup', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await using two = await openReplica({ url: remote.path });
    await one.call('store', { key: 'a', value: 'one' });
    await two.call('store', { key: 'b', value: 'two' });
    await sync(one);
    await two.memory.flush();
    const before = headOf(two);
    expect((await sync(two)).notes[0]).toContain('a history of its own');
    expect(two.git('for-each-ref', '--format=%(objectname)', 'refs/git-memory/backup/')).toContain(before);
    await sync(one);
    expect(await valuesOf(one)).toEqual({ a: 'one', b: 'two' });
  });

  it('that hold something else are left alone', async () => {
    await using remote = await createBareRemote();
    const clone = join(remote.folder, 'clone');
    runGit(remote.folder, 'clone', '--quiet', remote.path, clone);
    await writeFile(join(clone, 'package.json'), '{}');
    runGit(clone, 'add', '.');
    runGit(clone, 'commit', '--quiet', '-m', 'code');
    runGit(clone, 'push', '--quiet', 'origin', 'HEAD:main');
    await using one = await openReplica({ url: remote.path });
    await one.call('store', { key: 'a', value: 'one' });
    await expect(sync(one)).rejects.toThrow(/holds something that is no memory \(package\.json\)/);
    expect(remote.git('log', '--format=%s', 'main').trim()).toBe('code');
    expect(await valuesOf(one)).toEqual({ a: 'one' });
  });

  it('whose default branch is another one, and a branch of our choice', async () => {
    await using remote = await createBareRemote('master');
    await using one = await openReplica({ url: remote.path });
    await using two = await openReplica({ url: `file://${remote.path}`, branch: 'team/memory' });
    await one.call('store', { key: 'a', value: 1 });
    await two.call('store', { key: 'b', value: 2 });
    await sync(one);
    await sync(two);
    expect(remote.git('for-each-ref', '--format=%(refname)').trim().split('\n')).toEqual([
      'refs/heads/main',
      'refs/heads/team/memory',
    ]);
    expect(await valuesOf(two)).toEqual({ b: 2 });
  });

  it('in one direction only', async () => {
    await using remote = await createBareRemote();
    await using source = await openReplica({ url: remote.path });
    await using reader = await openReplica({ url: remote.path, direction: 'pull' });
    await using writer = await openReplica({ url: remote.path, direction: 'push' });
    await source.call('store', { key: 'a', value: 1 });
    await sync(source);
    await reader.call('store', { key: 'mine', value: 1 });
    expect(await sync(reader)).toMatchObject({ pulled: true, pushed: false });
    expect(remote.git('rev-parse', 'main').trim()).toBe(headOf(source));
    await writer.call('store', { key: 'b', value: 2 });
    await expect(sync(writer)).rejects.toThrow('its direction is push; set direction to both');
  });
});

describe('the schedule', () => {
  it('begins by itself, waits longer after failures, and is told over a restart', async () => {
    const clock = createFakeClock(Date.UTC(2026, 0, 1));
    await using folder = await createTempFolder();
    const url = join(folder.path, 'late.git');
    await using one = await openReplica({ url, everySeconds: 3600 }, { clock });
    await one.call('store', { key: 'a', value: 1 });
    const status = async () => (await one.call('sync', { action: 'status' })).remotes[0]!;
    expect(await status()).toMatchObject({ state: 'new', ahead: null, lastSuccessAt: null });
    const waits: number[] = [];
    for (let failures = 1; failures <= 4; failures++) {
      clock.advance(Date.parse((await status()).nextAt!) - clock.now());
      const now = await eventually('a failure', async () => {
        const one = await status();
        return one.lastError?.failures === failures && one.state === 'failing' ? one : undefined;
      });
      waits.push(Date.parse(now.nextAt!) - clock.now());
    }
    for (const [i, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(2500 * 2 ** i);
      expect(wait).toBeLessThanOrEqual(5000 * 2 ** i);
    }
    await one.reopen();
    expect(await status()).toMatchObject({ state: 'failing', lastError: { failures: 4 } });
    runGit(folder.path, 'init', '--quiet', '--bare', url);
    clock.advance(2001);
    const well = await eventually('a success', async () => {
      const one = await status();
      return one.state === 'ok' ? one : undefined;
    });
    expect(well).toMatchObject({ ahead: 0, behind: 0, lastError: null });
    const next = Date.parse(well.nextAt!) - clock.now();
    expect(next).toBeGreaterThan(3_200_000);
    expect(next).toBeLessThanOrEqual(3_600_000);
  });

  it('answers with what still runs, and says which remote there is not', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    const { remotes } = await one.call('sync', { waitSeconds: 0 });
    expect(['running', 'ok']).toContain(remotes[0]?.state);
    await expect(one.call('sync', { remote: 'other' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('ends what runs when the memory closes', async () => {
    await using remote = await createBareRemote();
    await using one = await openReplica({ url: remote.path });
    await one.call('store', { key: 'a', value: 1 });
    await one.call('sync', { waitSeconds: 0 });
    await one.close();
    expect(one.git('fsck')).toBe('');
  });
});
