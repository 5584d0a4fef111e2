/** Image tools that look: describe, compare, list, delete. */

import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool, ToolError } from '../../kernel/define-server.ts';
import { deleteImageFile, fileNameShape, listImageFiles } from './image-files.ts';
import { imageFormatNames } from './image-formats.ts';
import type { ImageContext } from './image-settings.ts';
import { imageShape, type LoadedImage, loadImage, openImage, readablyImage } from './image-source.ts';
import { type SharpLibrary, withSharp } from './sharp-library.ts';

export const imageInfo = defineTool({
  name: 'image_info',
  title: 'Describe an image',
  description:
    'Read the facts of an image without changing it: format, size, channels, orientation, frames, dominant colour, ' +
    'transparency and which metadata it carries. Use it before crop or composite.',
  input: z.strictObject({ image: imageShape }),
  output: z.object({
    format: z.enum(imageFormatNames).describe('Format by its bytes, whatever the name says.'),
    width: z.number().int().describe('Width in pixels, upright.'),
    height: z.number().int().describe('Height in pixels, upright, of one frame.'),
    bytes: z.number().int().describe('Size of the file.'),
    channels: z.number().int().describe('1 gray, 3 colour, one more with transparency.'),
    hasAlpha: z.boolean().describe('True when it has a transparency channel.'),
    isOpaque: z.boolean().describe('True when no pixel is transparent.'),
    colourSpace: z.string().describe('e.g. srgb, b-w, cmyk.'),
    bitsPerSample: z.string().describe('e.g. uchar for 8 bits, ushort for 16.'),
    orientation: z
      .number()
      .int()
      .describe('EXIF orientation 1 to 8; 1 is upright. Tools apply it themselves.'),
    frames: z.number().int().describe('1, or the number of frames or pages.'),
    density: z.number().optional().describe('Pixels per inch, if it says.'),
    dominantColour: z.string().describe('#rrggbb of the most common colour.'),
    metadata: z
      .array(z.enum(['exif', 'icc', 'iptc', 'xmp']))
      .describe('Metadata blocks; tools drop them all.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async (args, context: ImageContext) => {
    const image = await loadImage(args.image, context);
    return withSharp(
      (sharp) => readablyImage('image', () => describe(sharp, image, context)),
      context.signal,
    );
  },
});

async function describe(sharp: SharpLibrary, image: LoadedImage, context: ImageContext) {
  const found = await openImage(sharp, image, context).metadata();
  // Statistics of a small copy: a close answer at a bounded cost.
  const small = await openImage(sharp, image, context)
    .resize({ width: 256, height: 256, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .png()
    .toBuffer();
  const { dominant, isOpaque } = await sharp(small).stats();
  const hex = [dominant.r, dominant.g, dominant.b].map((value) => value.toString(16).padStart(2, '0'));
  return {
    format: image.format,
    width: found.autoOrient.width,
    height: found.autoOrient.height,
    bytes: image.bytes.length,
    channels: found.channels,
    hasAlpha: found.hasAlpha,
    isOpaque,
    colourSpace: found.space,
    bitsPerSample: found.depth,
    orientation: found.orientation ?? 1,
    frames: found.pages ?? 1,
    density: found.density,
    dominantColour: `#${hex.join('')}`,
    metadata: (['exif', 'icc', 'iptc', 'xmp'] as const).filter((block) => found[block] !== undefined),
  };
}

/** Two decoded images of this size fit in memory beside all else. */
const maxComparedPixels = 16_000_000;
const pixelsBetweenPauses = 1_000_000;

export const compare = defineTool({
  name: 'compare',
  title: 'Compare two images',
  description:
    'Measure how far two images of the same size differ, pixel by pixel, transparency included: how many pixels, by ' +
    'how much and where. Use it to check a conversion or a screenshot against a reference.',
  input: z.strictObject({
    image: imageShape,
    other: imageShape.describe('The image to compare with: either data or file.'),
    threshold: z
      .number()
      .int()
      .min(0)
      .max(254)
      .default(0)
      .describe('A pixel differs when one of its channels (0 to 255) differs by more than this.'),
  }),
  output: z.object({
    same: z.boolean().describe('True when no pixel differs.'),
    width: z.number().int().describe('Width of both in pixels.'),
    height: z.number().int().describe('Height of both in pixels.'),
    differentPixels: z.number().int().describe('How many pixels differ.'),
    ratio: z.number().describe('Their share of all pixels, 0 to 1.'),
    largestDifference: z.number().int().describe('Largest difference of a channel, 0 to 255.'),
    meanDifference: z.number().describe('Mean difference of all channels, 0 to 255.'),
    box: z
      .object({
        left: z.number().int().describe('Pixels from the left edge.'),
        top: z.number().int().describe('Pixels from the top edge.'),
        width: z.number().int().describe('Width in pixels.'),
        height: z.number().int().describe('Height in pixels.'),
      })
      .optional()
      .describe('The smallest rectangle around all pixels that differ.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async (args, context: ImageContext) => {
    const images = [
      await loadImage(args.image, context),
      await loadImage(args.other, context, 'other'),
    ] as const;
    return withSharp(async (sharp) => {
      const [one, two] = [
        await pixelsOf(sharp, images[0], context),
        await pixelsOf(sharp, images[1], context),
      ];
      if (one.width !== two.width || one.height !== two.height) {
        throw new ToolError(
          `other: is ${two.width}×${two.height}, image is ${one.width}×${one.height}; resize one of them first`,
        );
      }
      return difference(one, two, args.threshold, context.signal);
    }, context.signal);
  },
});

interface Pixels {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

function pixelsOf(sharp: SharpLibrary, image: LoadedImage, context: ImageContext): Promise<Pixels> {
  return readablyImage(image.field, async () => {
    const { autoOrient: size } = await openImage(sharp, image, context).metadata();
    if (size.width * size.height > maxComparedPixels) {
      throw new ToolError(`${image.field}: over ${maxComparedPixels} pixels; resize both images first`);
    }
    const pipeline = openImage(sharp, image, context)
      .toColourspace('srgb')
      .ensureAlpha()
      .raw({ depth: 'uchar' });
    const { data, info } = await pipeline.toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  });
}

async function difference(one: Pixels, two: Pixels, threshold: number, signal: AbortSignal) {
  const { width, height } = one;
  let [differentPixels, largest, sum] = [0, 0, 0];
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let pixel = 0; pixel < width * height; pixel++) {
    let most = 0;
    for (let index = pixel * 4; index < pixel * 4 + 4; index++) {
      const gap = Math.abs(one.data[index]! - two.data[index]!);
      sum += gap;
      if (gap > most) most = gap;
    }
    if (most > largest) largest = most;
    if (most > threshold) {
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      differentPixels++;
      [left, top, right, bottom] = [
        Math.min(left, x),
        Math.min(top, y),
        Math.max(right, x),
        Math.max(bottom, y),
      ];
    }
    if (pixel % pixelsBetweenPauses === pixelsBetweenPauses - 1) {
      await setImmediate();
      signal.throwIfAborted();
    }
  }
  return {
    same: differentPixels === 0,
    width,
    height,
    differentPixels,
    ratio: differentPixels / (width * height),
    largestDifference: largest,
    meanDifference: sum / (width * height * 4),
    box: right < 0 ? undefined : { left, top, width: right - left + 1, height: bottom - top + 1 },
  };
}

export const listImages = defineTool({
  name: 'list_images',
  title: 'List saved images',
  description: 'List the images saved by this server, for the file argument of the other tools.',
  input: z.strictObject({}),
  output: z.object({
    images: z
      .array(
        z.object({
          file: z.string().describe('Name for image.file.'),
          bytes: z.number().int().describe('Size of the file.'),
          modifiedAt: z.string().describe('ISO 8601 time.'),
        }),
      )
      .describe('By name.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: false },
  run: async (_, context: ImageContext) => ({ images: await listImageFiles(context) }),
});

export const deleteImage = defineTool({
  name: 'delete_image',
  title: 'Delete a saved image',
  description: 'Delete one image saved by this server, for good. Returns whether there was one.',
  input: z.strictObject({ file: fileNameShape.describe('Name of the image (see list_images).') }),
  output: z.object({ deleted: z.boolean().describe('False when there was no such image.') }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  run: async ({ file }, context: ImageContext) => ({ deleted: await deleteImageFile(context, file) }),
});
