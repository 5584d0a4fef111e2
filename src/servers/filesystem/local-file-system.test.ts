import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServerHarness, type ServerHarness } from '../../../test/fixtures/server-harness.ts';
import localFileSystem from './local-file-system.ts';

let harness: ServerHarness;
let root: string;

beforeEach(async () => {
  harness = await createServerHarness(localFileSystem, { maxReadBytes: 4096, maxFileBytes: 100_000 });
  root = join(harness.dataDir, 'files');
});

afterEach(() => harness[Symbol.asyncDispose]());

interface Content {
  readonly content: string;
  readonly encoding: string;
  readonly nextLine?: number;
  readonly nextByte?: number;
  readonly cut?: boolean;
  readonly totalBytes: number;
}

const read = (path: string, more: object = {}) => harness.call<Content>('read_file', { path, ...more });
const write = (path: string, content: string, more: object = {}) =>
  harness.call('write_file', { path, content, ...more });

async function put(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

describe('read_file', () => {
  it('reads text of several encodings', async () => {
    await put('utf8.txt', 'สวัสดี\nโลก\n');
    await put('bom.txt', '\ufeffhello');
    await put('utf16.txt', Buffer.from('\ufeffก\r\nข', 'utf16le'));
    await put('old.txt', Buffer.from([0xca, 0xc7, 0xd1, 0xca, 0xb4, 0xd5]));
    await put('empty', '');
    expect(await read('utf8.txt')).toEqual({
      path: 'utf8.txt',
      encoding: 'utf-8',
      content: 'สวัสดี\nโลก\n',
      lines: 2,
      totalBytes: 29,
    });
    expect((await read('bom.txt')).content).toBe('hello');
    expect(await read('utf16.txt')).toMatchObject({ encoding: 'utf-16le', content: 'ก\r\nข', lines: 2 });
    expect(await read('old.txt')).toMatchObject({ encoding: 'base64' });
    expect((await read('old.txt', { encoding: 'windows-874' })).content).toBe('สวัสดี');
    expect(await read('empty')).toMatchObject({ content: '', lines: 0, totalBytes: 0 });
  });

  it('pages through lines and bytes', async () => {
    const text = Array.from({ length: 1000 }, (_, index) => `line ${index + 1} ก`).join('\n');
    await put('long.txt', text);
    let [got, next]: [string, number | undefined] = ['', 1];
    while (next !== undefined) {
      const page: Content = await read('long.txt', { startLine: next, maxLines: 300 });
      expect(Buffer.byteLength(page.content)).toBeLessThanOrEqual(4096);
      got += page.content;
      next = page.nextLine;
    }
    expect(got).toBe(text);
    expect((await read('long.txt', { startLine: 500, maxLines: 1 })).content).toBe('line 500 ก\n');
    expect(await read('long.txt', { startLine: 5000 })).toMatchObject({ content: '' });
    const binary = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 256));
    await put('binary', binary);
    const parts: Buffer[] = [];
    for (let start: number | undefined = 0; start !== undefined;) {
      const page: Content = await read('binary', { startByte: start });
      parts.push(Buffer.from(page.content, 'base64'));
      start = page.nextByte;
    }
    expect(Buffer.concat(parts)).toEqual(binary);
  });

  it('cuts a line that no page can hold, and goes on behind it', async () => {
    await put('wide.txt', `${'ก'.repeat(50_000)}\nnext`);
    const page = await read('wide.txt');
    expect(page).toMatchObject({ cut: true, nextLine: 2, lines: 1 });
    expect(page.content).toBe('ก'.repeat(1365));
    expect((await read('wide.txt', { startLine: 2 })).content).toBe('next');
  });

  it('says what is wrong', async () => {
    await mkdir(root, { recursive: true });
    await expect(read('none')).rejects.toThrow(/path: there is no none/);
    await expect(read('.')).rejects.toThrow(/not a regular file|is a folder/);
    await expect(read('none/below')).rejects.toThrow(/there is no/);
    await put('file', 'x');
    await expect(read('file/below')).rejects.toThrow(/below something that is no folder/);
  });
});

describe('write_file and append_file', () => {
  it('writes whole files, with their folders, and keeps existing ones', async () => {
    expect(await write('a/b/ไทย.txt', 'หนึ่ง')).toEqual({ path: 'a/b/ไทย.txt', bytes: 15, created: true });
    await expect(write('a/b/ไทย.txt', 'x')).rejects.toThrow(/exists; set overwrite/);
    expect(await write('a/b/ไทย.txt', 'สอง', { overwrite: true })).toMatchObject({ created: false });
    expect(await readFile(join(root, 'a/b/ไทย.txt'), 'utf8')).toBe('สอง');
    await expect(write('x/y', '1', { createParents: false })).rejects.toThrow(/does not exist|replaced/);
    await expect(write('a', '1', { overwrite: true })).rejects.toThrow(/is a folder/);
    await expect(write('a/b/ไทย.txt/z', '1')).rejects.toThrow(/no folder/);
    expect(await readdir(join(root, 'a/b'))).toEqual(['ไทย.txt']);
  });

  it('writes bytes, and refuses what is too large or no Base64', async () => {
    await write('b', 'AP8=', { encoding: 'base64' });
    expect(await readFile(join(root, 'b'))).toEqual(Buffer.from([0, 255]));
    await expect(write('c', 'รก', { encoding: 'base64' })).rejects.toThrow(/not Base64/);
    await expect(write('c', 'x'.repeat(100_001))).rejects.toThrow(/maxFileBytes/);
  });

  it('lets only one of many create a file', async () => {
    const all = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => write('same', `${index}`)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('appends, concurrently too', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        harness.call('append_file', { path: 'log', content: `${index}\n` }),
      ),
    );
    const lines = (await readFile(join(root, 'log'), 'utf8')).trim().split('\n');
    expect(new Set(lines).size).toBe(20);
    await expect(harness.call('append_file', { path: 'log', content: 'x'.repeat(100_000) })).rejects.toThrow(
      /limit/,
    );
  });

  it.skipIf(process.platform === 'win32')('keeps the mode of a file', async () => {
    await put('run.sh', 'echo');
    await chmod(join(root, 'run.sh'), 0o755);
    await write('run.sh', 'echo 2', { overwrite: true });
    expect((await stat(join(root, 'run.sh'))).mode & 0o777).toBe(0o755);
  });
});

describe('edit_file', () => {
  const edit = (path: string, edits: object[], more: object = {}) =>
    harness.call<{ diff: string; replaced: number; written: boolean }>('edit_file', { path, edits, ...more });

  it('replaces, and shows the change', async () => {
    await put('a.txt', 'one\ntwo\nthree\n');
    const dry = await edit('a.txt', [{ oldText: 'two', newText: '2' }], { dryRun: true });
    expect(dry).toMatchObject({ replaced: 1, written: false });
    expect(dry.diff).toBe('--- a.txt\n+++ a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n');
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('one\ntwo\nthree\n');
    const edits = [
      { oldText: 'two', newText: '2' },
      { oldText: '2\nthree', newText: '$& $1' },
    ];
    expect(await edit('a.txt', edits)).toMatchObject({ written: true, replaced: 2 });
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('one\n$& $1\n');
  });

  it('keeps line ends and byte order marks', async () => {
    await put('crlf.txt', '\ufeffa\r\nb\r\nc\r\n');
    await edit('crlf.txt', [{ oldText: 'a\nb', newText: 'x\ny\nz' }]);
    expect(await readFile(join(root, 'crlf.txt'), 'utf8')).toBe('\ufeffx\r\ny\r\nz\r\nc\r\n');
    await put('wide.txt', Buffer.from('\ufeffกขค', 'utf16le'));
    await edit('wide.txt', [{ oldText: 'ข', newText: 'ฃ' }]);
    expect(await readFile(join(root, 'wide.txt'))).toEqual(Buffer.from('\ufeffกฃค', 'utf16le'));
  });

  it('refuses what is missing or not unique, and changes nothing then', async () => {
    await put('a.txt', 'x = 1\n  y = 2\nx = 1\n');
    await expect(edit('a.txt', [{ oldText: 'x = 1', newText: '' }])).rejects.toThrow(
      /edits\[0\]\.oldText: occurs 2 times/,
    );
    await expect(edit('a.txt', [{ oldText: 'none', newText: '' }])).rejects.toThrow(/not found; nothing/);
    await expect(edit('a.txt', [{ oldText: 'y = 2\nx = 2', newText: '' }])).rejects.toThrow(
      /line 2 has its first line/,
    );
    const half = [
      { oldText: 'y = 2', newText: 'y = 3' },
      { oldText: 'none', newText: '' },
    ];
    await expect(edit('a.txt', half)).rejects.toThrow(/edits\[1\]/);
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('x = 1\n  y = 2\nx = 1\n');
    expect(await edit('a.txt', [{ oldText: 'x = 1', newText: 'z', replaceAll: true }])).toMatchObject({
      replaced: 2,
    });
    await put('binary', Buffer.from([0, 159, 146]));
    await expect(edit('binary', [{ oldText: 'a', newText: 'b' }])).rejects.toThrow(/not UTF-8/);
  });

  it('loses no edit of many at once', async () => {
    await put('n.txt', Array.from({ length: 20 }, (_, index) => `[${index}]`).join('\n'));
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        edit('n.txt', [{ oldText: `[${index}]`, newText: `<${index}>` }]),
      ),
    );
    expect(await readFile(join(root, 'n.txt'), 'utf8')).not.toContain('[');
  });
});

describe('folders and facts', () => {
  it('lists in pages, draws trees, makes folders', async () => {
    for (const name of ['b.txt', 'a/x/deep.txt', 'ก.txt', 'node_modules/m.js']) await put(name, name);
    const first = await harness.call<{ nextCursor: string }>('list_directory', { limit: 2 });
    expect(first).toMatchObject({
      path: '.',
      total: 4,
      entries: [
        { name: 'a', type: 'folder' },
        { name: 'b.txt', type: 'file', bytes: 5 },
      ],
    });
    const second = await harness.call('list_directory', { limit: 2, cursor: first.nextCursor });
    expect(second).toMatchObject({ entries: [{ name: 'node_modules' }, { name: 'ก.txt' }] });
    expect(second).not.toHaveProperty('nextCursor');
    expect(await harness.call('tree', {})).toMatchObject({
      tree: 'a/\n  x/\n    deep.txt\nb.txt\nก.txt',
      entries: 5,
      truncated: false,
    });
    expect(await harness.call('tree', { depth: 1, limit: 1 })).toMatchObject({ tree: 'a/', truncated: true });
    expect(await harness.call('create_directory', { path: 'p/q' })).toEqual({ path: 'p/q', created: true });
    expect(await harness.call('create_directory', { path: 'p/q' })).toEqual({ path: 'p/q', created: false });
    await expect(harness.call('create_directory', { path: 'b.txt' })).rejects.toThrow(/no folder/);
    await expect(harness.call('list_directory', { path: 'b.txt' })).rejects.toThrow(/no folder/);
  });

  it('describes files', async () => {
    await put('f', 'abc');
    expect(await harness.call('file_info', { path: 'f', sha256: true })).toMatchObject({
      type: 'file',
      bytes: 3,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    });
    expect(await harness.call('file_info', { path: '.' })).toMatchObject({ type: 'folder' });
  });

  it.skipIf(process.platform === 'win32')('shows links as links', async () => {
    await put('f', 'abc');
    await symlink('f', join(root, 'l'));
    expect(await harness.call('file_info', { path: 'l' })).toMatchObject({ type: 'link' });
    expect((await read('l')).content).toBe('abc');
  });
});
