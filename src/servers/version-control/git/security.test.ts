import { spawnSync } from 'node:child_process';
import { appendFile, chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasGit, openGit } from '../../../../test/fixtures/open-git.ts';
import { pathShape, refNameShape, revisionShape } from './input-shapes.ts';

describe('input shapes', () => {
  it.each(['-x', '--upload-pack=touch x', 'a..b', 'a b', 'a\nb', '', 'a\0'])(
    'refuse the revision %j',
    (text) => {
      expect(revisionShape.safeParse(text).success).toBe(false);
    },
  );

  it.each([
    '-d',
    'a..b',
    'a b',
    'a~1',
    'a:b',
    'x.lock',
    'x/.y',
    '/x',
    'x/',
    'x//y',
    '@',
    'HEAD',
    'a@{1}',
    'a\\b',
    'a*',
    '0'.repeat(40),
  ])('refuse the name %j', (text) => {
    expect(refNameShape.safeParse(text).success).toBe(false);
  });

  it.each([
    '/etc/passwd',
    '../x',
    'a/../../b',
    'C:\\x',
    'c:x',
    '\\\\host\\x',
    '.git/config',
    '.GIT/hooks',
    'a\0b',
    '',
  ])('refuse the path %j', (text) => {
    expect(pathShape.safeParse(text).success).toBe(false);
  });

  it.skipIf(!hasGit)('agree with git check-ref-format on every name they let through', () => {
    const part = fc.string({
      minLength: 1,
      maxLength: 6,
      unit: fc.constantFrom('a', 'ก', '.', '/', '-', '@', '{', '~', '^', ':', '*', ' ', '\\', '['),
    });
    fc.assert(
      fc.property(part, (name) => {
        fc.pre(refNameShape.safeParse(name).success);
        expect(spawnSync('git', ['check-ref-format', `refs/heads/${name}`]).status).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

describe.skipIf(!hasGit)('git-operations under attack', () => {
  it.each(['../x', 'a/../../x', '/etc', '-x', '.git', 'seed/.git', 'seed/.GIT/hooks'])(
    'takes no repository %j',
    async (repository) => {
      await using git = await openGit();
      await git.seed({ 'a.txt': 'a' });
      await expect(git.call('status', { repository })).rejects.toThrow(/^repository: /);
      await expect(git.call('init', { repository })).rejects.toThrow(/^repository: /);
    },
  );

  it.each([
    ['ext::sh -c "touch /tmp/x"', 'must not'],
    ['ext::touch%20x', 'run programs'],
    ['fd::3', 'run programs'],
    ['git://example.test/x', 'transport "git" is refused'],
    ['ftp://example.test/x', 'transport "ftp" is refused'],
    ['--upload-pack=touch', 'must not start with "-"'],
    ['ssh://-oProxyCommand=touch/x', 'url'],
    ['-oProxyCommand=touch@host:x', 'must not start with "-"'],
    ['ssh://-l@host/x', 'no valid host name'],
    ['https://user:secret@example.test/x', 'must not contain a user name or password'],
    ['http://example.test/x', 'plain http is refused'],
    ['https://127.0.0.2/x', 'url: '],
    ['https://169.254.169.254/latest/meta-data', 'url: '],
    ['https://[::1]/x', 'url: '],
    ['ssh://git@10.0.0.1/x', 'url: '],
    ['file:///etc', 'outside the allowed folders'],
    ['/etc', 'outside the allowed folders'],
    ['../../etc', 'must not contain ".."'],
  ])('clones nothing from %s', async (url, message) => {
    await using git = await openGit();
    const work = git.call('clone', { url, repository: 'x' });
    await expect(work).rejects.toThrow(message);
    await expect(work).rejects.not.toThrow('secret');
    expect(await stat(join(git.root, 'x')).catch(() => 'none')).toBe('none');
  });

  it.each([
    ['core.fsmonitor', 'touch ran'],
    ['core.sshCommand', 'touch ran'],
    ['core.worktree', '/etc'],
    ['core.hooksPath', '/tmp'],
    ['diff.external', 'touch ran'],
    ['filter.x.clean', 'touch ran'],
    ['diff.x.textconv', 'touch ran'],
    ['merge.x.driver', 'touch ran'],
    ['include.path', '/etc/passwd'],
    ['includeIf.gitdir:/.path', '/etc/passwd'],
    ['remote.origin.uploadpack', 'touch ran'],
    ['credential.helper', '!touch ran'],
    ['gpg.program', 'touch ran'],
    ['gc.recentObjectsHook', 'touch ran'],
    ['extensions.worktreeConfig', 'true'],
    ['alias.status', '!touch ran'],
  ])('opens no repository whose config sets %s', async (key, value) => {
    await using git = await openGit();
    const { folder, call } = await git.seed({ 'a.txt': 'a' });
    spawnSync('git', ['config', '--file', join(folder, '.git', 'config'), key, value]);
    await expect(call('status')).rejects.toThrow(/the config of "seed" sets|another place/);
  });

  it.skipIf(process.platform === 'win32')('runs no hook unless told to', async () => {
    const trial = async (runHooks: boolean) => {
      await using git = await openGit({ runHooks });
      const { folder, call } = await git.seed({ 'a.txt': 'a' });
      const hook = join(folder, '.git', 'hooks', 'post-commit');
      await mkdir(join(folder, '.git', 'hooks'), { recursive: true });
      await writeFile(hook, `#!/bin/sh\ntouch '${join(git.root, 'ran')}'\n`);
      await chmod(hook, 0o755);
      await call('commit', { message: 'x', allowEmpty: true });
      return stat(join(git.root, 'ran')).then(
        () => true,
        () => false,
      );
    };
    expect(await trial(false)).toBe(false);
    expect(await trial(true)).toBe(true);
  });

  it('takes no objects from elsewhere', async () => {
    await using git = await openGit();
    const { folder, call } = await git.seed({ 'a.txt': 'a' });
    await mkdir(join(folder, '.git', 'objects', 'info'), { recursive: true });
    await writeFile(join(folder, '.git', 'objects', 'info', 'alternates'), '/somewhere/objects\n');
    await expect(call('log')).rejects.toThrow('takes its data from another place');
  });

  it('adds nothing through a link and takes magic paths literally', async () => {
    await using git = await openGit();
    const { call, folder } = await git.seed({ ':(top)a.txt': 'odd\n', 'b.txt': 'b\n' });
    await appendFile(join(folder, ':(top)a.txt'), 'more\n');
    await appendFile(join(folder, 'b.txt'), 'more\n');
    expect(await call('diff', { paths: [':(top)a.txt'], statOnly: true })).toMatchObject({
      files: [{ path: ':(top)a.txt' }],
    });
    await expect(call('add', { paths: ['*.txt'] })).rejects.toThrow('did not match any files');
    await expect(call('commit', { message: 'x', author: { name: 'a <b>', email: 'x' } })).rejects.toThrow();
  });

  it('reads nothing through a folder that became a link', async () => {
    await using git = await openGit();
    const { call, folder } = await git.seed({ 'a/b.txt': 'x\n' });
    await mkdir(join(git.root, 'outside'));
    await writeFile(join(git.root, 'outside', 'b.txt'), 'SECRET\n');
    await rm(join(folder, 'a'), { recursive: true });
    await symlink(join(git.root, 'outside'), join(folder, 'a'), 'junction');
    expect(await call('search', { pattern: 'SECRET' })).toEqual({ hits: [], truncated: false });
    expect(JSON.stringify(await call('diff'))).not.toContain('SECRET');
    await expect(call('commit', { message: 'x', paths: ['.'] })).rejects.toThrow('behind a symbolic link');
    await expect(call('add', { paths: ['a/b.txt'] })).rejects.toThrow('beyond a symbolic link');
    await call('add', { all: true });
    await call('commit', { message: 'the link itself' });
    expect(JSON.stringify(await call('show'))).not.toContain('SECRET');
  });

  it('clones over HTTP, from the checked address only, and follows no redirect', async () => {
    await using git = await openGit();
    const { folder, commit } = await git.seed({ 'a.txt': 'a' });
    spawnSync('git', ['-C', folder, 'update-server-info']);
    const agents: string[] = [];
    const web = createServer((request, response) => {
      const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
      agents.push(request.headers['user-agent'] ?? '');
      if (path.startsWith('/moved')) {
        response.writeHead(302, { location: path.replace('/moved', '/seed.git') }).end();
      } else {
        readFile(join(folder, '.git', path.replace(/^\/seed\.git\//, ''))).then(
          (bytes) => response.end(bytes),
          () => response.writeHead(404).end(),
        );
      }
    });
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const address = web.address();
    const base = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
    try {
      expect(await git.call('clone', { url: `${base}/seed.git`, repository: 'copy' })).toMatchObject({
        branch: 'main',
      });
      expect(await git.call('log', { repository: 'copy' })).toMatchObject({ commits: [{ commit }] });
      await expect(git.call('clone', { url: `${base}/moved`, repository: 'moved' })).rejects.toThrow(
        'git clone failed',
      );
      expect(agents.every((agent) => agent.startsWith('git/'))).toBe(true);
    } finally {
      web.close();
    }
  });
});
