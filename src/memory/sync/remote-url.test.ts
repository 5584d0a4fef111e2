import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toRemoteError } from './remote-failure.ts';
import { absoluteRemoteUrl, checkBranch, maskRemoteUrl, remoteKind } from './remote-url.ts';

describe('remoteKind', () => {
  it.each([
    ['/srv/memory.git', 'file'],
    ['../memory.git', 'file'],
    ['C:\\memory.git', 'file'],
    ['file:///srv/memory.git', 'file'],
    ['https://git.example.org/team/memory.git', 'https'],
    ['http://127.0.0.1:3000/git/default.git', 'http'],
    ['ssh://git@git.example.org:2222/memory.git', 'ssh'],
    ['git@git.example.org:team/memory.git', 'ssh'],
  ])('takes %s', (url, kind) => {
    expect(remoteKind(url)).toBe(kind);
  });

  it.each([
    '',
    '-x',
    'ext::sh -c id',
    'fd::17',
    'git://example.org/x',
    'ftp://example.org/x',
    'https://token@example.org/x',
    'ssh://git:pw@example.org/x',
    'ssh://-oProxyCommand=id/x',
    'ssh://example.org/-x',
    'git@-x:y',
    'host:-x',
    'a\nb',
  ])('refuses %j', (url) => {
    expect(() => remoteKind(url)).toThrowError(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});

describe('remotes in words', () => {
  it('have relative paths at the config file', () => {
    expect(absoluteRemoteUrl('x/memory.git', '/base')).toBe(resolve('/base', 'x/memory.git'));
    for (const url of ['https://a.example/x', 'git@a.example:x', join(resolve('/'), 'x')]) {
      expect(absoluteRemoteUrl(url, '/base')).toBe(url);
    }
  });

  it('show nothing secret', () => {
    expect(maskRemoteUrl('https://me:tok@a.example/x?token=1#y')).toBe('https://a.example/x');
    const error = toRemoteError('o', 'fatal: unable to access https://me:tok@a.example/: got tok', 'tok');
    expect(error.message).not.toContain('tok@');
    expect(error.message).not.toMatch(/\btok\b/);
  });

  it.each(['main', 'team/memory', 'v1.2'])('take the branch %s', (branch) => {
    expect(() => checkBranch(branch)).not.toThrow();
  });

  it.each(['-x', 'a..b', 'a//b', 'a.lock', '/a', 'a/', 'a b', '+a', 'a:b', 'a/.b'])(
    'refuse the branch %s',
    (branch) => {
      expect(() => checkBranch(branch)).toThrowError(expect.objectContaining({ code: 'INVALID_INPUT' }));
    },
  );
});
