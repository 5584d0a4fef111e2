import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasGit, openGit } from '../../../test/fixtures/open-git.ts';

describe.skipIf(!hasGit)('git-operations', () => {
  it('goes through init, add, commit, log, show, read, blame and search, also in Thai', async () => {
    await using git = await openGit();
    const made = await git.call('init', { repository: 'ทีม/แอปโปลโล' });
    expect(made).toMatchObject({ repository: 'ทีม/แอปโปลโล', branch: 'main' });
    const repository = made['repository'];
    const call = (tool: string, args: object = {}) => git.call(tool, { repository, ...args });
    const folder = String(made['path']);
    await writeFile(join(folder, 'ไฟล์ ก.txt'), 'หนึ่ง\nสอง\n');
    await writeFile(join(folder, '-rf'), 'x\n');
    expect(await call('status')).toMatchObject({
      commit: null,
      untracked: ['-rf', 'ไฟล์ ก.txt'],
      clean: false,
    });
    await expect(call('log')).rejects.toThrow('there is no commit yet');
    await expect(call('commit', { message: 'x' })).rejects.toThrow('nothing is staged');
    await call('add', { paths: ['-rf', 'ไฟล์ ก.txt'] });
    const message = 'เริ่มต้น\n\n# not a comment';
    const first = await call('commit', { message, author: { name: 'สมชาย', email: 's@example.test' } });
    expect(first).toMatchObject({
      branch: 'main',
      files: [
        { path: '-rf', change: 'added' },
        { path: 'ไฟล์ ก.txt', additions: 2 },
      ],
    });

    await writeFile(join(folder, 'ไฟล์ ก.txt'), 'หนึ่ง\nสาม\n');
    expect(await call('diff')).toMatchObject({
      files: [{ path: 'ไฟล์ ก.txt', additions: 1, deletions: 1 }],
      patch: expect.stringContaining('+สาม') as string,
    });
    await call('commit', { message: 'second', paths: ['ไฟล์ ก.txt'] });

    const log = await call('log', { limit: 1 });
    expect(log).toMatchObject({
      nextSkip: 1,
      commits: [{ subject: 'second', parents: [first['commit']], refs: ['HEAD -> main'] }],
    });
    expect(await call('log', { author: 'สมชาย' })).toMatchObject({
      commits: [{ subject: 'เริ่มต้น', body: '# not a comment', committer: 'Git Memory MCP' }],
    });
    expect(await call('log', { message: 'SECOND', paths: ['ไฟล์ ก.txt'] })).toMatchObject({
      commits: [{ subject: 'second' }],
    });
    expect(await call('show', { ref: 'HEAD~1', statOnly: true })).toMatchObject({
      author: 'สมชาย',
      patch: '',
      files: [{ path: '-rf' }, {}],
    });
    expect(await call('show', { ref: 'HEAD' })).toMatchObject({
      patch: expect.stringMatching(/^diff --git/) as string,
    });
    expect(await call('read_file', { path: 'ไฟล์ ก.txt', ref: 'HEAD~1' })).toMatchObject({
      content: 'หนึ่ง\nสอง\n',
      encoding: 'utf8',
      truncated: false,
    });
    expect(await call('blame', { path: 'ไฟล์ ก.txt' })).toMatchObject({
      runs: [
        { startLine: 1, lines: ['หนึ่ง'], author: 'สมชาย', commit: first['commit'] },
        { startLine: 2, lines: ['สาม'], author: 'Git Memory MCP' },
      ],
    });
    expect(await call('search', { pattern: 'สาม' })).toMatchObject({
      hits: [{ path: 'ไฟล์ ก.txt', line: 2, text: 'สาม' }],
      truncated: false,
    });
    expect(await call('search', { pattern: '^ส.*ง$', regex: true, ref: 'HEAD~1' })).toMatchObject({
      hits: [{ path: 'ไฟล์ ก.txt', line: 2 }],
    });
    expect(await call('search', { pattern: '--nothing' })).toEqual({ hits: [], truncated: false });
    expect(await git.call('list_repositories')).toMatchObject({
      repositories: [{ repository: 'ทีม/แอปโปลโล', branch: 'main', bare: false }],
    });
  });

  it('reports renames, binary files and cut patches', async () => {
    await using git = await openGit({ maxOutputBytes: 2000 });
    const { commit, folder, call } = await git.seed({
      'a.txt': 'one\ntwo\nthree\n',
      'b.bin': Buffer.from([0, 255, 1]),
    });
    await rm(join(folder, 'a.txt'));
    await writeFile(join(folder, 'c.txt'), 'one\ntwo\nthree\n');
    await writeFile(join(folder, 'b.bin'), Buffer.from([0, 254]));
    await writeFile(join(folder, 'big.txt'), 'กขค\n'.repeat(1000));
    await call('add', { all: true });
    expect(await call('status')).toMatchObject({
      staged: expect.arrayContaining([{ path: 'c.txt', from: 'a.txt', change: 'renamed' }]) as unknown,
    });
    const diff = await call('diff', { staged: true });
    expect(diff).toMatchObject({
      truncated: true,
      files: expect.arrayContaining([
        { path: 'b.bin', change: 'modified', additions: null, deletions: null },
        { path: 'c.txt', change: 'renamed', from: 'a.txt', additions: 0, deletions: 0 },
      ]) as unknown,
    });
    await call('commit', { message: 'many' });
    expect(await call('read_file', { path: 'b.bin' })).toMatchObject({
      encoding: 'base64',
      content: 'AP4=',
      bytes: 2,
    });
    const big = await call<{ content: string }>('read_file', { path: 'big.txt' });
    expect(big).toMatchObject({ encoding: 'utf8', truncated: true, bytes: 10_000 });
    expect(big.content).not.toContain('\uFFFD');
    expect(
      await call('diff', { from: commit, to: 'HEAD', statOnly: true, paths: ['c.txt', 'a.txt'] }),
    ).toMatchObject({ files: [{ path: 'c.txt', change: 'renamed' }] });
    await expect(call('read_file', { path: 'a.txt' })).rejects.toThrow('"a.txt" is not in HEAD');
  });

  it('creates, switches, renames and deletes branches and tags', async () => {
    await using git = await openGit();
    const { call, commit, folder } = await git.seed({ 'a.txt': '1\n' });
    await call('switch', { branch: 'feature/x', create: true });
    await writeFile(join(folder, 'b.txt'), 'x');
    await call('add', { all: true });
    await call('commit', { message: 'on x' });
    await call('switch', { branch: 'main' });
    expect(await readdir(folder)).not.toContain('b.txt');
    await expect(call('branch', { action: 'delete', name: 'feature/x' })).rejects.toThrow('not fully merged');
    const { deletedCommit } = await call('branch', { action: 'delete', name: 'feature/x', force: true });
    await call('branch', { action: 'create', name: 'again', from: deletedCommit });
    await call('branch', { action: 'rename', name: 'again', newName: 'once-more' });
    const { branches } = await call<{ branches: { name: string }[] }>('branch');
    expect(branches.map((branch) => branch.name).sort()).toEqual(['main', 'once-more']);
    await call('tag', { action: 'create', name: 'v1', message: 'First', ref: 'HEAD' });
    expect(await call('tag')).toMatchObject({ tags: [{ name: 'v1', commit, message: 'First' }] });
    await expect(call('tag', { action: 'create', name: 'v1' })).rejects.toThrow('already exists');
    expect(await call('tag', { action: 'delete', name: 'v1' })).toEqual({ tags: [] });
    expect(await call('switch', { detach: commit })).toEqual({ branch: null, commit });
    expect(await call('log', { ref: 'once-more', exclude: 'main' })).toMatchObject({
      commits: [{ subject: 'on x' }],
    });
  });

  it('resets, keeping what a hard reset takes away', async () => {
    await using git = await openGit();
    const { call, folder } = await git.seed({ 'a.txt': '1\n' });
    await writeFile(join(folder, 'a.txt'), 'precious\n');
    await call('add', { all: true });
    await call('reset', { paths: ['a.txt'] });
    expect(await call('status')).toMatchObject({ staged: [], unstaged: [{ path: 'a.txt' }] });
    await expect(call('reset', { mode: 'hard' })).rejects.toThrow('confirm: a hard reset');
    const { rescue } = await call<{ rescue: string }>('reset', { mode: 'hard', confirm: true });
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('1\n');
    await call('stash', { action: 'apply', stash: rescue });
    expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('precious\n');
    expect(await call('stash', { action: 'push', message: 'for later' })).toMatchObject({
      stashes: [{ stash: 'stash@{0}', message: 'On main: for later' }],
      status: { clean: true },
    });
    expect(await call('stash', { action: 'pop' })).toMatchObject({ stashes: [], status: { clean: false } });
  });

  it('serves concurrent writers of one repository', async () => {
    await using git = await openGit();
    const { call, folder } = await git.seed({ 'a.txt': '1\n' });
    const names = Array.from({ length: 6 }, (_, index) => `f${index}.txt`);
    await Promise.all(names.map((name) => writeFile(join(folder, name), name)));
    await Promise.all(names.map((name) => call('add', { paths: [name] })));
    expect(await call('status')).toMatchObject({ untracked: [], staged: names.map((path) => ({ path })) });
  });

  it('clones a repository inside the roots, whole or not at all', async () => {
    await using git = await openGit();
    const { call, commit, repository } = await git.seed({ 'a.txt': '1\n' });
    expect(await git.call('clone', { url: repository, repository: 'copies/two' })).toMatchObject({
      repository: 'copies/two',
      branch: 'main',
    });
    expect(await git.call('log', { repository: 'copies/two' })).toMatchObject({ commits: [{ commit }] });
    const steps = git.context.progressUpdates.map((update) => update.progress);
    expect(steps.length).toBeGreaterThan(0);
    expect(steps).toEqual([...steps].sort((x, y) => x - y));
    await expect(git.call('clone', { url: repository, repository: 'copies/two' })).rejects.toThrow(
      'is there already',
    );
    await expect(git.call('clone', { url: repository, repository: 'three', branch: 'nope' })).rejects.toThrow(
      'nope',
    );
    expect((await readdir(git.root)).sort()).toEqual(['copies', 'seed']);
    await git.call('clone', { url: repository, repository: 'bare', bare: true });
    await expect(git.call('status', { repository: 'bare' })).rejects.toThrow('is bare');
    expect(await git.call('search', { repository: 'bare', pattern: '1' })).toMatchObject({
      hits: [{ path: 'a.txt' }],
    });
    expect(await call('status')).toMatchObject({ clean: true });
  });

  it('ends Git and leaves nothing when a clone is cancelled or takes too long', async () => {
    await using git = await openGit({ cloneTimeoutMs: 100 });
    await git.seed({ 'a.txt': '1\n' });
    const controller = new AbortController();
    controller.abort();
    await expect(
      git.call('clone', { url: 'seed', repository: 'x' }, controller.signal),
    ).rejects.toMatchObject({ code: 'REQUEST_CANCELLED' });
    await using silent = await git.listenSilently();
    const slow = git.call('clone', { url: `http://127.0.0.1:${silent.port}/x.git`, repository: 'slow' });
    await expect(slow).rejects.toThrow('took longer than 100 ms');
    // The transfer runs in a grandchild, git-remote-http: its connection ends only if the whole group does.
    expect(await silent.untilGone()).toBeGreaterThan(0);
    expect(await readdir(git.root)).toEqual(['seed']);
    await mkdir(join(git.root, 'empty'));
    await expect(git.call('status', { repository: 'empty' })).rejects.toThrow('is no Git repository');
  });

  it('follows no link out of the roots', async () => {
    await using git = await openGit();
    const { folder } = await git.seed({ 'a.txt': '1\n' });
    await symlink(join(git.root, '..'), join(git.root, 'out'), 'junction');
    await expect(git.call('init', { repository: 'out/evil' })).rejects.toThrow(
      'is outside the allowed folders',
    );
    await symlink(join(git.root, '..', 'nowhere'), join(git.root, 'dangling'), 'junction');
    await expect(git.call('init', { repository: 'dangling' })).rejects.toThrow('cannot be resolved');
    await mkdir(join(git.root, 'linked'));
    await symlink(join(folder, '.git'), join(git.root, 'linked', '.git'), 'junction');
    await expect(git.call('log', { repository: 'linked' })).rejects.toThrow('points to another place');
    expect(await git.call('list_repositories')).toMatchObject({ repositories: [{ repository: 'seed' }] });
  });
});
