import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerHarness, type ServerHarness } from '../../../test/fixtures/server-harness.ts';
import imageProcessing from './image-processing.ts';
import { loadSharp } from './sharp-library.ts';

interface Result {
  readonly width: number;
  readonly file?: string;
}

const toArgument = (bytes: Buffer) => ({ data: bytes.toString('base64') });

let harness: ServerHarness;
let red: { data: string };
let clear: { data: string };

beforeAll(async () => {
  harness = await createServerHarness(imageProcessing);
  const large = sharp({ create: { width: 200, height: 100, channels: 3, background: '#ff0000' } });
  const small = sharp({ create: { width: 40, height: 40, channels: 4, background: '#0000ff80' } });
  red = toArgument(await large.png().toBuffer());
  clear = toArgument(await small.png().toBuffer());
});

afterAll(() => harness[Symbol.asyncDispose]());

const call = (tool: string, args: object) => harness.call<Result>(tool, args);

describe('files', () => {
  it('saves, lists, reads back and deletes, Thai names too', async () => {
    const saved = await call('convert', {
      image: red,
      format: 'webp',
      saveAs: 'ภาพ แดง',
      returnImage: false,
    });
    expect(saved.file).toBe('ภาพ แดง.webp');
    expect(await harness.content('convert', { image: red, saveAs: 'b', returnImage: false })).toHaveLength(1);
    expect(
      await call('resize', { image: { file: 'ภาพ แดง.webp'.normalize('NFD') }, width: 10 }),
    ).toMatchObject({ width: 10 });
    const { images } = await harness.call<{ images: Result[] }>('list_images');
    expect(images.map(({ file }) => file)).toEqual(expect.arrayContaining(['ภาพ แดง.webp', 'b.png']));
    await expect(call('convert', { image: red, saveAs: 'b' })).rejects.toThrow(/b.png exists/);
    expect(await call('convert', { image: red, saveAs: 'b', overwrite: true })).toMatchObject({
      file: 'b.png',
    });
    await expect(call('convert', { image: red, saveAs: 'b.png', format: 'jpeg' })).rejects.toThrow(
      /ends like png/,
    );
    expect(await harness.call('delete_image', { file: 'b.png' })).toEqual({ deleted: true });
    expect(await harness.call('delete_image', { file: 'b.png' })).toEqual({ deleted: false });
    await expect(call('resize', { image: { file: 'b.png' }, width: 1 })).rejects.toThrow(
      /no image b.png; there are .*ภาพ/,
    );
    expect((await readdir(join(harness.dataDir, 'images'))).filter((name) => name.endsWith('.part'))).toEqual(
      [],
    );
  });

  it.each(['../x.png', 'a/b.png', 'a\\b.png', '.hidden', 'nul.png', 'x\u0000', 'x.', ''])(
    'refuses the name %j',
    async (file) => {
      await expect(call('convert', { image: { file } })).rejects.toThrow(/file/);
      await expect(call('convert', { image: red, saveAs: file })).rejects.toThrow(/saveAs/);
    },
  );

  it.skipIf(process.platform === 'win32')('does not follow a link out of its folder', async () => {
    const folder = join(harness.dataDir, 'images');
    await mkdir(folder, { recursive: true });
    await writeFile(join(harness.dataDir, 'secret.png'), Buffer.from(red.data, 'base64'));
    await symlink('../secret.png', join(folder, 'link.png'));
    await expect(call('convert', { image: { file: 'link.png' } })).rejects.toThrow(/no image link.png/);
  });
});

describe('limits and bad input', () => {
  it.each([
    [
      'an SVG',
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>',
    ],
    ['text', 'hello'],
    ['a PDF', '%PDF-1.4'],
    ['nothing but a signature', '\u0089PNG\r\n\u001a\n'],
  ])('refuses %s', async (_, text) => {
    const image = toArgument(Buffer.from(text, 'latin1'));
    await expect(call('convert', { image, format: 'png' })).rejects.toThrow(/^image: /);
  });

  it('refuses no image, two, and what is not Base64', async () => {
    await expect(call('convert', { image: {} })).rejects.toThrow(/either data or file/);
    await expect(call('convert', { image: { data: 'x', file: 'y.png' } })).rejects.toThrow(
      /either data or file/,
    );
    await expect(call('convert', { image: { data: '!!!' } })).rejects.toThrow(/not Base64/);
    await expect(call('convert', { image: { data: '' } })).rejects.toThrow(/not Base64/);
    expect(await call('convert', { image: { data: `data:image/png;base64,${red.data}` } })).toMatchObject({
      width: 200,
    });
  });

  it('refuses a truncated image', async () => {
    const image = { data: red.data.slice(0, Math.floor(red.data.length / 8) * 4) };
    await expect(call('convert', { image, format: 'jpeg' })).rejects.toThrow(/^image: /);
  });

  it('keeps to its limits', async () => {
    const settings = { maxInputBytes: 2000, maxPixels: 10_000, maxInlineBytes: 200 };
    await using small = await createServerHarness(imageProcessing, settings);
    const noise = toArgument(Buffer.alloc(3000, 'x'));
    await expect(small.call('convert', { image: noise })).rejects.toThrow(/over 2000 bytes/);
    await expect(small.call('convert', { image: red })).rejects.toThrow(/maxPixels/);
    const wish = { image: clear, width: 5000, enlarge: true };
    await expect(small.call('resize', wish)).rejects.toThrow(/maxPixels/);
    await expect(small.call('convert', { image: clear, format: 'tiff' })).rejects.toThrow(
      /more than the 200/,
    );
    expect(await small.call('convert', { image: clear, format: 'tiff', saveAs: 'x' })).toMatchObject({
      file: 'x.tiff',
    });
    expect(await small.content('convert', { image: clear, format: 'tiff', saveAs: 'y' })).toHaveLength(1);
  });

  it('names the library that is missing', async () => {
    const missing = Promise.reject(new Error('Cannot find package'));
    await expect(loadSharp(() => missing)).rejects.toMatchObject({
      code: 'MISSING_LIBRARY',
      data: { library: 'sharp' },
    });
  });

  it('works for many at once and stops for a client that left', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, () => call('resize', { image: red, width: 20 })),
    );
    expect(all.every(({ width }) => width === 20)).toBe(true);
    const gone = AbortSignal.abort(new Error('gone'));
    await expect(harness.call('resize', { image: red, width: 20 }, gone)).rejects.toThrow('gone');
  });
});
