import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServerHarness, type ServerHarness } from '../../../test/fixtures/server-harness.ts';
import localFileSystem from './local-file-system.ts';

let harness: ServerHarness;
let root: string;

beforeEach(async () => {
  harness = await createServerHarness(localFileSystem, { maxFileBytes: 50_000, searchTimeoutMs: 1000 });
  root = join(harness.dataDir, 'files');
});

afterEach(() => harness[Symbol.asyncDispose]());

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

interface Found {
  readonly matches: { path: string }[];
  readonly stopped?: string;
}
interface Hits {
  readonly hits: { path: string; line: number; text: string; before?: string[]; after?: string[] }[];
  readonly filesSearched: number;
  readonly filesSkipped: number;
  readonly stopped?: string;
}

const find = (pattern: string, more: object = {}) =>
  harness.call<Found>('search_files', { pattern, ...more });
const grep = (pattern: string, more: object = {}, signal?: AbortSignal) =>
  harness.call<Hits>('search_content', { pattern, ...more }, signal);

describe('search_files', () => {
  it('finds names at any depth and paths from the start', async () => {
    for (const path of [
      'src/a.ts',
      'src/deep/b.test.ts',
      'c.ts',
      'node_modules/d.ts',
      '.git/e.ts',
      'ไทย/ก.ts',
    ])
      await put(path, '');
    const paths = async (pattern: string, more?: object) =>
      (await find(pattern, more)).matches.map(({ path }) => path);
    expect(await paths('*.ts')).toEqual(['c.ts', 'src/a.ts', 'src/deep/b.test.ts', 'ไทย/ก.ts']);
    expect(await paths('src/**')).toEqual(['src', 'src/a.ts', 'src/deep', 'src/deep/b.test.ts']);
    expect(await paths('**/*.test.ts', { path: 'src' })).toEqual(['src/deep/b.test.ts']);
    expect(await paths('*', { type: 'folder' })).toEqual(['src', 'src/deep', 'ไทย']);
    expect(await paths('*.ts', { exclude: ['src/deep', 'ไทย'], path: '.' })).toContain('node_modules/d.ts');
    expect(await find('*', { limit: 2 })).toMatchObject({ stopped: 'limit', matches: [{}, {}] });
    await expect(find('[a')).rejects.toThrow(/pattern: "\[" has no "\]"/);
  });
});

describe('search_content', () => {
  it('finds literal text with its lines around', async () => {
    await put('a.txt', 'one\nTwo (2)\nthree\n');
    await put('b/ไทย.txt', 'บรรทัดแรก\r\nคำว่าสวัสดี\r\n');
    expect(await grep('two (')).toEqual({
      hits: [{ path: 'a.txt', line: 2, text: 'Two (2)' }],
      filesSearched: 2,
      filesSkipped: 0,
    });
    expect((await grep('two', { caseSensitive: true })).hits).toEqual([]);
    expect((await grep('สวัสดี', { contextLines: 1 })).hits).toEqual([
      { path: 'b/ไทย.txt', line: 2, text: 'คำว่าสวัสดี', before: ['บรรทัดแรก'], after: [''] },
    ]);
    expect((await grep('three', { path: 'a.txt' })).hits).toHaveLength(1);
    expect((await grep('e', { files: '*.md' })).filesSearched).toBe(0);
    expect(await grep('o', { limit: 1 })).toMatchObject({ stopped: 'limit', hits: [{ line: 1 }] });
  });

  it('finds both Unicode forms', async () => {
    await put('a.txt', `caf\u00e9 and caf\u0065\u0301`);
    expect((await grep('caf\u0065\u0301')).hits).toHaveLength(1);
  });

  it('finds regular expressions', async () => {
    await put('a.ts', 'const a = 1;\nlet b = 22;\n');
    expect((await grep('\\b\\d{2}\\b', { regex: true })).hits).toMatchObject([{ line: 2 }]);
    expect((await grep('^CONST', { regex: true })).hits).toHaveLength(1);
    expect((await grep('^CONST', { regex: true, caseSensitive: true })).hits).toHaveLength(0);
    await expect(grep('(', { regex: true })).rejects.toThrow(/pattern: Invalid regular expression/);
  });

  it('ends a regular expression that would run for ever, with what it has', async () => {
    await put('a.txt', 'aaa!');
    await put('b.txt', `${'a'.repeat(50_000)}!`.slice(0, 40_000) + '!');
    const found = await grep('(a+)+$|a{3}!', { regex: true });
    expect(found).toMatchObject({ stopped: 'time', hits: [{ path: 'a.txt' }] });
  });

  it('skips binary, large and linked files', async () => {
    await put('binary', Buffer.from([0x6e, 0x65, 0x65, 0x64, 0]));
    await put('large', 'need'.repeat(20_000));
    await put('utf16', Buffer.from('\ufeffneed', 'utf16le'));
    if (process.platform !== 'win32') await symlink('utf16', join(root, 'link'));
    expect(await grep('need')).toMatchObject({
      hits: [{ path: 'utf16' }],
      filesSearched: 1,
      filesSkipped: 2,
    });
  });

  it('cuts long lines around the match', async () => {
    await put('min.js', `${'x'.repeat(5000)}needle${'y'.repeat(5000)}`);
    const [hit] = (await grep('needle')).hits;
    expect(hit!.text).toContain('needle');
    expect(hit!.text.length).toBeLessThan(510);
  });

  it('stops for a client that left', async () => {
    await put('a.txt', `${'a'.repeat(40_000)}!`);
    const controller = new AbortController();
    const pending = grep('(a+)+$', { regex: true }, controller.signal);
    controller.abort(new Error('gone'));
    await expect(pending).rejects.toThrow('gone');
  });
});

describe('move, copy and trash', () => {
  it('moves and renames, and replaces only when told', async () => {
    await put('a.txt', 'a');
    await put('b.txt', 'b');
    await put('d/x', 'x');
    expect(await harness.call('move', { from: 'a.txt', to: 'new/ก.txt' })).toEqual({
      from: 'a.txt',
      to: 'new/ก.txt',
    });
    await expect(harness.call('move', { from: 'b.txt', to: 'new/ก.txt' })).rejects.toThrow(
      /exists; set overwrite/,
    );
    await harness.call('move', { from: 'b.txt', to: 'new/ก.txt', overwrite: true });
    expect(await readFile(join(root, 'new/ก.txt'), 'utf8')).toBe('b');
    await expect(harness.call('move', { from: 'new/ก.txt', to: 'd', overwrite: true })).rejects.toThrow(
      /is a folder/,
    );
    await expect(harness.call('move', { from: 'd', to: 'd/below' })).rejects.toThrow(/lies inside/);
    await harness.call('move', { from: 'd', to: 'e' });
    expect(await readFile(join(root, 'e/x'), 'utf8')).toBe('x');
    await expect(harness.call('move', { from: 'none', to: 'z' })).rejects.toThrow(/from: there is no none/);
  });

  it('copies folders', async () => {
    await put('d/x', 'xx');
    await put('d/y/z', 'z');
    expect(await harness.call('copy', { from: 'd', to: 'e/f' })).toEqual({
      from: 'd',
      to: 'e/f',
      entries: 4,
      bytes: 3,
    });
    expect(await readFile(join(root, 'e/f/y/z'), 'utf8')).toBe('z');
    await expect(harness.call('copy', { from: 'd', to: 'd/e' })).rejects.toThrow(/lies inside/);
  });

  it('deletes to the trash and restores', async () => {
    await put('d/ไทย.txt', 'x');
    await expect(harness.call('delete', { path: 'd' })).rejects.toThrow(/set recursive/);
    const { trashId } = await harness.call<{ trashId: string }>('delete', { path: 'd', recursive: true });
    await expect(harness.call('read_file', { path: 'd/ไทย.txt' })).rejects.toThrow(/there is no/);
    expect(await harness.call('list_trash')).toMatchObject({
      total: 1,
      items: [{ id: trashId, path: 'd', type: 'folder' }],
    });
    await put('d', 'in the way');
    await expect(harness.call('restore', { id: trashId })).rejects.toThrow(/to: d exists/);
    expect(await harness.call('restore', { id: trashId, to: 'back/d' })).toEqual({ path: 'back/d' });
    expect(await readFile(join(root, 'back/d/ไทย.txt'), 'utf8')).toBe('x');
    await expect(harness.call('restore', { id: trashId })).rejects.toThrow(/nothing in the trash/);
    await expect(harness.call('restore', { id: '../../../../etc/passwd' })).rejects.toThrow(
      /id of list_trash/,
    );
  });

  it('deletes for good, and empties the trash', async () => {
    await put('a', '1');
    await put('b', '2');
    expect(await harness.call('delete', { path: 'a', permanent: true })).toEqual({ path: 'a' });
    await harness.call('delete', { path: 'b' });
    expect(await harness.call('empty_trash')).toEqual({ deleted: 0, kept: 1 });
    expect(await harness.call('empty_trash', { olderThanDays: 0 })).toEqual({ deleted: 1, kept: 0 });
    expect(await harness.call('list_trash')).toEqual({ items: [], total: 0 });
  });
});
