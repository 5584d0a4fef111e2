import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createServerHarness, type ServerHarness } from '../../../test/fixtures/server-harness.ts';
import imageProcessing from './image-processing.ts';

interface Result {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly file?: string;
  readonly frames?: number;
}

const make = (width: number, height: number, background: string, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background } });
const toArgument = (bytes: Buffer) => ({ data: bytes.toString('base64') });

let harness: ServerHarness;
let red: { data: string };
let clear: { data: string };
let turned: { data: string };
let animation: { data: string };

beforeAll(async () => {
  harness = await createServerHarness(imageProcessing);
  red = toArgument(await make(200, 100, '#ff0000').png().toBuffer());
  clear = toArgument(await make(40, 40, '#0000ff80', 4).png().toBuffer());
  turned = toArgument(await make(60, 30, '#00ff00').withMetadata({ orientation: 6 }).jpeg().toBuffer());
  const frames = await Promise.all(
    ['#ff0000', '#00ff00', '#0000ff'].map((colour) => make(20, 10, colour).png().toBuffer()),
  );
  animation = toArgument(
    await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer(),
  );
});

afterAll(() => harness[Symbol.asyncDispose]());

const call = (tool: string, args: object) => harness.call<Result>(tool, args);

async function imageOf(tool: string, args: object): Promise<Buffer> {
  const block = (await harness.content(tool, args)).find(({ type }) => type === 'image');
  return Buffer.from(String(block?.['data']), 'base64');
}

async function pixel(image: Buffer, left: number, top: number): Promise<number[]> {
  const pipeline = sharp(image).extract({ left, top, width: 1, height: 1 }).ensureAlpha().raw();
  return [...(await pipeline.toBuffer())];
}

describe('image_info', () => {
  it('tells the facts, upright', async () => {
    expect(await harness.call('image_info', { image: red })).toMatchObject({
      format: 'png',
      width: 200,
      height: 100,
      channels: 3,
      hasAlpha: false,
      isOpaque: true,
      orientation: 1,
      frames: 1,
      dominantColour: expect.stringMatching(/^#f[0-9a-f]0[0-9a-f]0[0-9a-f]$/),
      metadata: [],
    });
    expect(await harness.call('image_info', { image: clear })).toMatchObject({
      hasAlpha: true,
      isOpaque: false,
    });
    expect(await harness.call('image_info', { image: animation })).toMatchObject({
      format: 'gif',
      frames: 3,
      height: 10,
    });
    const info = await harness.call('image_info', { image: turned });
    expect(info).toMatchObject({ format: 'jpeg', width: 30, height: 60, orientation: 6 });
    expect(info['metadata']).toContain('exif');
  });
});

describe('transformations', () => {
  it('resizes with proportions, cover and contain', async () => {
    expect(await call('resize', { image: red, width: 50 })).toMatchObject({
      width: 50,
      height: 25,
      format: 'png',
    });
    expect(await call('resize', { image: red, width: 50, height: 50 })).toMatchObject({
      width: 50,
      height: 25,
    });
    expect(await call('resize', { image: red, width: 50, height: 50, fit: 'cover' })).toMatchObject({
      width: 50,
      height: 50,
    });
    const framed = { image: red, width: 50, height: 50, fit: 'contain', background: '#00ff00' };
    expect(await pixel(await imageOf('resize', framed), 25, 1)).toEqual([0, 255, 0, 255]);
    expect(await call('resize', { image: red, width: 400 })).toMatchObject({ width: 200 });
    expect(await call('resize', { image: red, width: 400, enlarge: true })).toMatchObject({ width: 400 });
    expect(await call('resize', { image: turned, width: 15 })).toMatchObject({ width: 15, height: 30 });
    expect(await call('resize', { image: animation, width: 10 })).toMatchObject({
      width: 10,
      height: 5,
      frames: 3,
    });
  });

  it('makes thumbnails', async () => {
    expect(await call('thumbnail', { image: red, size: 32 })).toMatchObject({
      width: 32,
      height: 32,
      format: 'webp',
    });
    expect(await call('thumbnail', { image: red, size: 32, saveAs: 't.png' })).toMatchObject({
      format: 'png',
      file: 't.png',
    });
  });

  it('crops inside, and says where the image ends', async () => {
    expect(await call('crop', { image: red, left: 10, top: 20, width: 30, height: 40 })).toMatchObject({
      width: 30,
      height: 40,
    });
    await expect(call('crop', { image: turned, left: 1, top: 0, width: 30, height: 60 })).rejects.toThrow(
      /outside the image of 30×60/,
    );
  });

  it('rotates and mirrors', async () => {
    expect(await call('rotate', { image: red, degrees: 90 })).toMatchObject({ width: 100, height: 200 });
    expect(await call('rotate', { image: red, degrees: -90 })).toMatchObject({ width: 100, height: 200 });
    const marked = await make(2, 1, '#000000')
      .composite([{ input: await make(1, 1, '#ffffff').png().toBuffer(), left: 0, top: 0 }])
      .png()
      .toBuffer();
    const mirrored = await imageOf('rotate', { image: toArgument(marked), mirror: 'horizontal' });
    expect(await pixel(mirrored, 1, 0)).toEqual([255, 255, 255, 255]);
    const slanted = await imageOf('rotate', { image: red, degrees: 45 });
    expect(await pixel(slanted, 0, 0)).toEqual([0, 0, 0, 0]);
  });

  it.each(['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'])(
    'converts to %s and reads it back',
    async (format) => {
      const bytes = await imageOf('convert', { image: clear, format });
      expect(await harness.call('image_info', { image: toArgument(bytes) })).toMatchObject({
        format,
        width: 40,
      });
    },
  );

  it('keeps animations, drops metadata, and puts white behind JPEG', async () => {
    expect(await call('convert', { image: animation, format: 'webp' })).toMatchObject({
      frames: 3,
      height: 10,
    });
    expect(await call('convert', { image: animation, format: 'png' })).not.toHaveProperty('frames');
    const plain = await imageOf('convert', { image: turned });
    expect(await harness.call('image_info', { image: toArgument(plain) })).toMatchObject({
      metadata: [],
      width: 30,
    });
    const [r, g, b] = await pixel(
      await imageOf('convert', { image: clear, format: 'jpeg', quality: 100 }),
      20,
      20,
    );
    expect([r! > 120, g! > 120, b! > 250]).toEqual([true, true, true]);
  });

  it('adjusts', async () => {
    const gray = await pixel(await imageOf('adjust', { image: red, grayscale: true }), 0, 0);
    expect(gray[0]).toBe(gray[1]);
    expect(await pixel(await imageOf('adjust', { image: red, negate: true }), 0, 0)).toEqual([
      0, 255, 255, 255,
    ]);
    const everything = {
      brightness: 1.1,
      saturation: 0.5,
      hue: -30,
      gamma: 2,
      contrast: 1.2,
      stretch: true,
      blur: 1,
      sharpen: 1,
    };
    expect(await call('adjust', { image: red, ...everything })).toMatchObject({ width: 200 });
    await expect(call('adjust', { image: red })).rejects.toThrow(/at least one/);
  });

  it('overlays images and text', async () => {
    const placed = await imageOf('composite', { image: red, overlay: clear, place: 'top-left', opacity: 1 });
    expect((await pixel(placed, 5, 5))[2]).toBeGreaterThan(100);
    expect(await pixel(placed, 100, 50)).toEqual([255, 0, 0, 255]);
    const faint = await imageOf('composite', { image: red, overlay: clear, left: 10, top: 10, opacity: 0.1 });
    expect((await pixel(faint, 20, 20))[2]).toBeLessThan(40);
    expect(await call('composite', { image: clear, overlay: red })).toMatchObject({ width: 40, height: 40 });
    await expect(call('composite', { image: red, overlay: clear, left: 1 })).rejects.toThrow(/left, top/);
    const written = toArgument(await imageOf('watermark', { image: red, text: 'สวัสดี <b>& "hi"', size: 20 }));
    expect(await harness.call('compare', { image: red, other: written })).toMatchObject({ same: false });
    expect(await call('watermark', { image: clear, text: 'wide '.repeat(50), margin: 100 })).toMatchObject({
      width: 40,
      height: 40,
    });
    await expect(call('watermark', { image: red, text: ' \u0000 ' })).rejects.toThrow(/nothing to write/);
  });
});

describe('compare', () => {
  it('finds how much differs and where', async () => {
    expect(await harness.call('compare', { image: red, other: red })).toMatchObject({ same: true, ratio: 0 });
    const dotted = await sharp(Buffer.from(red.data, 'base64'))
      .composite([{ input: await make(4, 2, '#ff0a00').png().toBuffer(), left: 10, top: 20 }])
      .png()
      .toBuffer();
    const wish = { image: red, other: toArgument(dotted) };
    expect(await harness.call('compare', wish)).toMatchObject({
      same: false,
      differentPixels: 8,
      ratio: 8 / 20_000,
      largestDifference: 10,
      box: { left: 10, top: 20, width: 4, height: 2 },
    });
    expect(await harness.call('compare', { ...wish, threshold: 10 })).toMatchObject({ same: true });
    await expect(call('compare', { image: red, other: clear })).rejects.toThrow(
      /other: is 40×40, image is 200×100/,
    );
  });
});
