/** Image tools that change size, frame and direction. */

import { z } from 'zod';
import { defineTool, ToolError } from '../../kernel/define-server.ts';
import { outputFields, produce, resultShape } from './image-result.ts';
import type { ImageContext } from './image-settings.ts';
import { imageShape, loadImage } from './image-source.ts';

/** What writes a new image and touches nothing else, unless `overwrite` is set. */
export const writesImage = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const;

const sideShape = z.number().int().min(1).max(16_000);

export const colourShape = z
  .string()
  .regex(/^#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})$/, { error: 'must be #rrggbb or #rrggbbaa' });

function checkPixels(width: number, height: number, context: ImageContext): void {
  const limit = context.settings.maxPixels;
  if (width * height <= limit) return;
  throw new ToolError(`width, height: ${width}×${height} is more than ${limit} pixels (setting maxPixels)`);
}

export const resize = defineTool({
  name: 'resize',
  title: 'Resize an image',
  description:
    'Make an image smaller or larger. Give width or height to keep the proportions, or both and fit: inside (default) ' +
    'keeps all of it within the box, cover fills the box and cuts the rest, contain fills it with background, fill ' +
    'distorts. Animations stay animated. Returns the new image.',
  input: z.strictObject({
    image: imageShape,
    width: sideShape.optional().describe('Width in pixels.'),
    height: sideShape.optional().describe('Height in pixels.'),
    fit: z
      .enum(['inside', 'outside', 'cover', 'contain', 'fill'])
      .default('inside')
      .describe('How the image meets the box when both sides are given.'),
    position: z
      .enum(['centre', 'top', 'right', 'bottom', 'left', 'attention', 'entropy'])
      .default('centre')
      .describe('What cover keeps and contain aligns to; attention looks for the interesting part.'),
    background: colourShape
      .default('#00000000')
      .describe('Colour around the image for contain, #rrggbb or #rrggbbaa.'),
    enlarge: z.boolean().default(false).describe('Permit a result larger than the image.'),
    ...outputFields,
  }),
  output: resultShape,
  annotations: writesImage,
  run: async (args, context: ImageContext) => {
    const { width, height, fit, position, background, enlarge } = args;
    if (width === undefined && height === undefined)
      throw new ToolError('width, height: give at least one of them');
    if (width !== undefined && height !== undefined) checkPixels(width, height, context);
    const byContent = position === 'attention' || position === 'entropy';
    if (byContent && fit !== 'cover') throw new ToolError(`position: ${position} works only with fit cover`);
    const image = await loadImage(args.image, context);
    return produce(
      image,
      args,
      context,
      async (pipeline) => {
        if (width === undefined || height === undefined) {
          const { autoOrient } = await pipeline.metadata();
          const ratio = autoOrient.width / autoOrient.height;
          checkPixels(width ?? Math.round(height! * ratio), height ?? Math.round(width! / ratio), context);
        }
        return pipeline.resize({ width, height, fit, position, background, withoutEnlargement: !enlarge });
      },
      !byContent,
    );
  },
});

export const thumbnail = defineTool({
  name: 'thumbnail',
  title: 'Make a thumbnail',
  description:
    'Make a small square preview that keeps the most interesting part of the image, as WebP unless told otherwise. ' +
    'Use resize when the whole image must stay visible.',
  input: z.strictObject({
    image: imageShape,
    size: z.number().int().min(8).max(1024).default(256).describe('Side of the square in pixels.'),
    ...outputFields,
  }),
  output: resultShape,
  annotations: writesImage,
  run: async (args, context: ImageContext) => {
    const output = {
      ...args,
      format: args.format ?? (args.saveAs === undefined ? 'webp' : undefined),
    } as const;
    return produce(await loadImage(args.image, context), output, context, (pipeline) =>
      pipeline.resize({ width: args.size, height: args.size, fit: 'cover', position: 'attention' }),
    );
  },
});

export const crop = defineTool({
  name: 'crop',
  title: 'Crop an image',
  description:
    'Cut a rectangle out of an image. Coordinates are in pixels from the top left corner of the upright image; ' +
    'image_info tells its size. Fails, naming the size, when the rectangle reaches outside.',
  input: z.strictObject({
    image: imageShape,
    left: z.number().int().min(0).describe('Pixels from the left edge.'),
    top: z.number().int().min(0).describe('Pixels from the top edge.'),
    width: sideShape.describe('Width of the rectangle in pixels.'),
    height: sideShape.describe('Height of the rectangle in pixels.'),
    ...outputFields,
  }),
  output: resultShape,
  annotations: writesImage,
  run: async (args, context: ImageContext) => {
    const { left, top, width, height } = args;
    return produce(await loadImage(args.image, context), args, context, async (pipeline) => {
      const { autoOrient: size } = await pipeline.metadata();
      if (left + width > size.width || top + height > size.height) {
        throw new ToolError(
          `left, top, width, height: ${left},${top} ${width}×${height} reaches outside the image of ${size.width}×${size.height}`,
        );
      }
      return pipeline.extract({ left, top, width, height });
    });
  },
});

export const rotate = defineTool({
  name: 'rotate',
  title: 'Rotate or mirror an image',
  description:
    'Turn an image clockwise by any angle, or mirror it. Mirroring comes first. Multiples of 90 are exact; other angles enlarge ' +
    'the frame and fill the corners with background. The EXIF orientation is applied before anyway.',
  input: z.strictObject({
    image: imageShape,
    degrees: z.number().min(-360).max(360).default(0).describe('Clockwise angle.'),
    mirror: z
      .enum(['none', 'horizontal', 'vertical'])
      .default('none')
      .describe('horizontal swaps left and right, vertical swaps top and bottom.'),
    background: colourShape.default('#00000000').describe('Colour of the corners, #rrggbb or #rrggbbaa.'),
    ...outputFields,
  }),
  output: resultShape,
  annotations: writesImage,
  run: async (args, context: ImageContext) =>
    produce(await loadImage(args.image, context), args, context, async (pipeline, sharp) => {
      const mirrored =
        args.mirror === 'horizontal'
          ? pipeline.flop()
          : args.mirror === 'vertical'
            ? pipeline.flip()
            : pipeline;
      if (args.degrees % 360 === 0) return mirrored;
      // One pipeline turns before it mirrors; two keep the order that was promised.
      const { data, info } = await mirrored.ensureAlpha().raw().toBuffer({ resolveWithObject: true });
      const { width, height, channels } = info;
      return sharp(data, { raw: { width, height, channels } }).rotate(args.degrees, {
        background: args.background,
      });
    }),
});
