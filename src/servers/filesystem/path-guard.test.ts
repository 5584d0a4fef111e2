import { execFile } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServerHarness, type ServerHarness } from '../../../test/fixtures/server-harness.ts';
import localFileSystem from './local-file-system.ts';
import { checkPathText } from './path-text.ts';

const isWindows = process.platform === 'win32';

let outer: string;
let harness: ServerHarness;

beforeEach(async () => {
  outer = await realpath(await mkdtemp(join(tmpdir(), 'path-guard-')));
  for (const folder of ['one', 'two', 'outside', 'one-more']) await mkdir(join(outer, folder));
  await writeFile(join(outer, 'outside', 'secret'), 'secret');
  await writeFile(join(outer, 'one', 'plain'), 'plain');
  await writeFile(join(outer, 'two', 'second'), 'second');
  harness = await createServerHarness(localFileSystem, { roots: [join(outer, 'one'), join(outer, 'two')] });
});

afterEach(async () => {
  await harness[Symbol.asyncDispose]();
  await rm(outer, { recursive: true, force: true });
});

const read = (path: string) => harness.call<{ content: string; path: string }>('read_file', { path });

/** Every tool that takes a path, each with all paths set to the given one. */
const pathTools: readonly (readonly [string, (path: string) => object])[] = [
  ['read_file', (path) => ({ path })],
  ['file_info', (path) => ({ path })],
  ['list_directory', (path) => ({ path })],
  ['tree', (path) => ({ path })],
  ['search_files', (path) => ({ path, pattern: '*' })],
  ['search_content', (path) => ({ path, pattern: 'secret' })],
  ['write_file', (path) => ({ path, content: 'x', overwrite: true })],
  ['append_file', (path) => ({ path, content: 'x' })],
  ['edit_file', (path) => ({ path, edits: [{ oldText: 'secret', newText: 'x' }] })],
  ['create_directory', (path) => ({ path })],
  ['move', (path) => ({ from: path, to: 'moved' })],
  ['move', (path) => ({ from: 'plain', to: path, overwrite: true })],
  ['copy', (path) => ({ from: path, to: 'copied' })],
  ['copy', (path) => ({ from: 'plain', to: path, overwrite: true })],
  ['delete', (path) => ({ path, recursive: true })],
];

describe('paths outside', () => {
  it.each(pathTools)('%s refuses to leave the roots', async (tool, args) => {
    const ways = [
      '..',
      '../outside/secret',
      'a/../../outside/secret',
      '/etc/passwd',
      join(outer, 'outside'),
      join(outer, 'one-more', 'x'),
    ];
    for (const way of [...ways, outer, '/', '../one-more']) {
      await expect(harness.call(tool, args(way))).rejects.toThrow(/outside the allowed folders/);
    }
    expect(await readFile(join(outer, 'outside', 'secret'), 'utf8')).toBe('secret');
  });

  it.skipIf(isWindows).each(pathTools)('%s does not follow a link out', async (tool, args) => {
    await symlink('../outside', join(outer, 'one', 'door'));
    await symlink('door', join(outer, 'one', 'second-door'));
    for (const way of ['door/secret', 'second-door/secret', 'door/new', 'door/../door/secret']) {
      await expect(harness.call(tool, args(way))).rejects.toThrow(/outside the allowed folders/);
    }
    expect(await readdir(join(outer, 'outside'))).toEqual(['secret']);
    expect(await readFile(join(outer, 'outside', 'secret'), 'utf8')).toBe('secret');
  });

  it.skipIf(isWindows)('neither reads nor writes through a link in the last place', async () => {
    await symlink('../outside/secret', join(outer, 'one', 'window'));
    await symlink('../outside/new', join(outer, 'one', 'dangling'));
    await expect(read('window')).rejects.toThrow(/outside/);
    for (const path of ['window', 'dangling']) {
      await expect(harness.call('write_file', { path, content: 'x', overwrite: true })).rejects.toThrow(
        /outside|broken link/,
      );
      await expect(harness.call('append_file', { path, content: 'x' })).rejects.toThrow(
        /outside|broken link/,
      );
    }
    expect(await harness.call('search_content', { pattern: 'secret' })).toMatchObject({ hits: [] });
    expect(await harness.call('delete', { path: 'window', permanent: true })).toEqual({ path: 'window' });
    await harness.call('copy', { from: 'dangling', to: 'copied' });
    expect(await readdir(join(outer, 'outside'))).toEqual(['secret']);
  });

  it.skipIf(isWindows)('survives loops, pipes and deep links', async () => {
    await symlink('loop', join(outer, 'one', 'loop'));
    await symlink('.', join(outer, 'one', 'self'));
    await promisify(execFile)('mkfifo', [join(outer, 'one', 'pipe')]);
    await expect(read('loop')).rejects.toThrow(/broken link/);
    await expect(read('pipe')).rejects.toThrow(/not a regular file/);
    await expect(harness.call('append_file', { path: 'pipe', content: 'x' })).rejects.toThrow(
      /not a regular file/,
    );
    expect((await read('self/self/self/plain')).path).toBe('plain');
    expect(await harness.call('search_files', { pattern: 'plain' })).toMatchObject({
      matches: [{ path: 'plain' }],
    });
  });

  it('takes absolute paths in any root, and shows them as they can be used', async () => {
    expect(await read(join(outer, 'one', 'plain'))).toMatchObject({ path: 'plain' });
    const second = await read(join(outer, 'two', 'second'));
    expect(second).toMatchObject({ path: join(outer, 'two', 'second'), content: 'second' });
    expect(await read(second.path)).toEqual(second);
    expect(await harness.call('list_roots')).toEqual({
      roots: [join(outer, 'one'), join(outer, 'two')],
      readOnly: false,
    });
  });

  it.skipIf(isWindows)('takes a root that is a link itself', async () => {
    await symlink('one', join(outer, 'alias'));
    await using other = await createServerHarness(localFileSystem, { roots: [join(outer, 'alias')] });
    for (const path of ['plain', join(outer, 'alias', 'plain'), join(outer, 'one', 'plain')]) {
      expect(await other.call('read_file', { path })).toMatchObject({ path: 'plain' });
    }
  });

  it('never moves or deletes a root', async () => {
    await expect(harness.call('delete', { path: '.', recursive: true })).rejects.toThrow(
      /allowed folder itself/,
    );
    await expect(harness.call('move', { from: '.', to: join(outer, 'two', 'x') })).rejects.toThrow(
      /allowed folder itself/,
    );
  });

  it('can be made read-only', async () => {
    await using safe = await createServerHarness(localFileSystem, {
      roots: [join(outer, 'one')],
      readOnly: true,
    });
    for (const tool of localFileSystem.tools.filter(({ annotations }) => annotations.readOnlyHint !== true)) {
      const args = pathTools.find(([name]) => name === tool.name)?.[1]('plain') ?? {};
      const call = tool.name === 'restore' ? { id: '0'.repeat(36) } : args;
      await expect(safe.call(tool.name, call)).rejects.toThrow(/read-only/);
    }
    expect(await safe.call('read_file', { path: 'plain' })).toMatchObject({ content: 'plain' });
  });
});

describe('races', () => {
  it.skipIf(isWindows)('never reaches outside while a folder is swapped for a link', async () => {
    const [folder, parked, door] = ['sub', 'parked', 'door'].map((name) => join(outer, 'one', name)) as [
      string,
      string,
      string,
    ];
    await mkdir(folder);
    await writeFile(join(folder, 'secret'), 'harmless');
    await symlink('../outside', door);
    const done = new AbortController();
    const swapping = (async () => {
      while (!done.signal.aborted) {
        await rename(folder, parked);
        await rename(door, folder);
        await rename(folder, door);
        await rename(parked, folder);
      }
    })();
    for (let round = 0; round < 100; round++) {
      const results = await Promise.allSettled([
        read('sub/secret'),
        harness.call('search_content', { pattern: 'e', path: 'sub' }),
        harness.call('write_file', { path: `sub/new-${round}`, content: 'x', createParents: false }),
        harness.call('write_file', {
          path: 'sub/secret',
          content: 'harmless',
          overwrite: true,
          createParents: false,
        }),
        harness.call('append_file', { path: 'sub/log', content: 'x', createParents: false }),
      ]);
      expect(JSON.stringify(results.slice(0, 2))).not.toContain('"content":"secret"');
      expect(JSON.stringify(results.slice(0, 2))).not.toContain('"text":"secret"');
    }
    done.abort();
    await swapping;
    expect(await readFile(join(outer, 'outside', 'secret'), 'utf8')).toBe('secret');
    expect(await readdir(join(outer, 'outside'))).toEqual(['secret']);
  });
});

describe('names', () => {
  it('finds a name in either Unicode form, and writes NFC', async () => {
    const [nfc, nfd] = ['né'.normalize('NFC'), 'né'.normalize('NFD')];
    await mkdir(join(outer, 'one', nfd));
    await writeFile(join(outer, 'one', nfd, 'กำ.txt'.normalize('NFD')), 'found');
    expect((await read(`${nfc}/กำ.txt`.normalize('NFC'))).content).toBe('found');
    await harness.call('write_file', { path: 'caf\u0065\u0301', content: 'x' });
    expect(await readdir(join(outer, 'one'))).toContain('caf\u00e9');
    await expect(harness.call('write_file', { path: 'caf\u00e9', content: 'x' })).rejects.toThrow(/exists/);
  });

  it('refuses what no disk can hold', async () => {
    await expect(read('a\u0000b')).rejects.toThrow(/is no path/);
    await expect(read('\ud800')).rejects.toThrow(/lone surrogate/);
    await expect(read('x'.repeat(300))).rejects.toThrow(/there is no|too long/);
    await expect(harness.call('write_file', { path: 'x'.repeat(300), content: '' })).rejects.toThrow(
      /too long|not a file name/,
    );
  });

  it.each([
    'nul',
    'CON.txt',
    'a/COM1',
    'lpt¹',
    'a.',
    'a ',
    'file:stream',
    'C:secret',
    '\\\\server\\share',
    '//server/share',
    '\\\\?\\C:\\x',
    '\\\\.\\pipe\\x',
    'a*',
    'a\nb',
  ])('refuses %j on Windows', (path) => {
    expect(() => checkPathText(path, 'path', 'win32')).toThrow(/Windows|network or device/);
  });

  it('takes ordinary Windows paths', () => {
    for (const path of ['C:\\Users\\me\\ไฟล์.txt', '..\\x', 'console.log', 'a.b c/.git/com10']) {
      expect(() => checkPathText(path, 'path', 'win32')).not.toThrow();
    }
  });
});
