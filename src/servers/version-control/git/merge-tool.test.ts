import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasGit, openGit } from '../../../../test/fixtures/open-git.ts';

/** main and other both change a.txt; other also changes c.txt; clean only adds b.txt. */
async function openDiverged() {
  const git = await openGit();
  const seed = await git.seed({ 'a.txt': 'one\ntwo\nthree\n', 'c.txt': 'c\n' });
  const commitOn = async (files: Record<string, string>, message: string) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(seed.folder, name), text);
    await seed.call('add', { all: true });
    return (await seed.call<{ commit: string }>('commit', { message })).commit;
  };
  await seed.call('switch', { branch: 'clean', create: true });
  const clean = await commitOn({ 'b.txt': 'b\n' }, 'clean');
  await seed.call('switch', { branch: 'other', create: true, from: 'main' });
  await commitOn({ 'a.txt': 'one\nTWO\nthree\n', 'c.txt': 'theirs\n' }, 'theirs');
  await seed.call('switch', { branch: 'main' });
  const ours = await commitOn({ 'a.txt': 'one\nzwei\nthree\n' }, 'ours');
  return { ...seed, clean, ours, [Symbol.asyncDispose]: () => git[Symbol.asyncDispose]() };
}

describe.skipIf(!hasGit)('git_merge', () => {
  it('makes a merge commit, tells up-to-date, and fast-forwards', async () => {
    await using repo = await openDiverged();
    const merged = await repo.call('merge', { from: 'clean', message: 'รวม\n\nwith body' });
    expect(merged).toMatchObject({ result: 'merged', before: repo.ours, halfDone: false, conflicts: [] });
    expect(await repo.call('show', { statOnly: true })).toMatchObject({
      subject: 'รวม',
      body: 'with body',
      parents: [repo.ours, repo.clean],
      files: [{ path: 'b.txt' }],
    });
    expect(await repo.call('merge', { from: 'clean' })).toMatchObject({ result: 'up-to-date' });
    await repo.call('switch', { branch: 'clean' });
    expect(await repo.call('merge', { from: 'main' })).toMatchObject({
      result: 'fast-forward',
      commit: merged['commit'],
    });
    await expect(repo.call('merge', { from: 'other', fastForward: 'only' })).rejects.toThrow(
      'Not possible to fast-forward',
    );
  });

  it('reports conflicts as data and undoes the attempt', async () => {
    await using repo = await openDiverged();
    const answer = await repo.call('merge', { from: 'other' });
    expect(answer).toMatchObject({
      result: 'conflicts',
      halfDone: false,
      commit: repo.ours,
      conflicts: [
        { path: 'a.txt', kind: 'both modified', diff: expect.stringContaining(' +zwei') as string },
      ],
    });
    const [conflict] = answer['conflicts'] as { base: string; ours: string; theirs: string }[];
    expect(new Set([conflict?.base, conflict?.ours, conflict?.theirs]).size).toBe(3);
    expect(await repo.call('status')).toMatchObject({ clean: true, operation: null, commit: repo.ours });
    expect(await readFile(join(repo.folder, 'a.txt'), 'utf8')).toBe('one\nzwei\nthree\n');
  });

  it('keeps the conflicts when asked to, until they are settled or given up', async () => {
    await using repo = await openDiverged();
    expect(await repo.call('merge', { from: 'other', onConflict: 'keep' })).toMatchObject({ halfDone: true });
    expect(await repo.call('status')).toMatchObject({ operation: 'merge', conflicts: [{ path: 'a.txt' }] });
    await expect(repo.call('merge', { from: 'clean' })).rejects.toThrow('a merge is half done');
    await expect(repo.call('commit', { message: 'x' })).rejects.toThrow('conflicts are not settled in a.txt');
    expect(await repo.call('merge', { action: 'abort' })).toMatchObject({
      result: 'aborted',
      commit: repo.ours,
    });
    await expect(repo.call('merge', { action: 'abort' })).rejects.toThrow('no merge is half done');

    await repo.call('merge', { from: 'other', onConflict: 'keep' });
    await writeFile(join(repo.folder, 'a.txt'), 'one\n2\nthree\n');
    await repo.call('add', { paths: ['a.txt'] });
    await repo.call('commit', { message: 'settled' });
    expect(await repo.call('status')).toMatchObject({ clean: true, operation: null });
    expect((await repo.call<{ parents: string[] }>('show')).parents).toHaveLength(2);
  });

  it('leaves local changes alone when they are in the way', async () => {
    await using repo = await openDiverged();
    await writeFile(join(repo.folder, 'c.txt'), 'not committed\n');
    await expect(repo.call('merge', { from: 'other' })).rejects.toThrow('would be overwritten');
    expect(await readFile(join(repo.folder, 'c.txt'), 'utf8')).toBe('not committed\n');
    await expect(repo.call('merge', {})).rejects.toThrow('from: is needed');
    await expect(repo.call('merge', { from: 'nope' })).rejects.toThrow('from: no commit "nope"');
  });
});
