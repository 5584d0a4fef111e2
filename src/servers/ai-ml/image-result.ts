/** What image tools return: an image block for the client and its description, saved if wanted. */

import type { Sharp } from 'sharp';
import { z } from 'zod';
import { type ContentBlock, ToolError, withContent } from '../../kernel/define-server.ts';
import { fileNameFor, fileNameShape, saveImageFile } from './image-files.ts';
import { type ImageFormat, imageFormatNames, imageFormats, formatOfExtension } from './image-formats.ts';
import type { ImageContext } from './image-settings.ts';
import { type LoadedImage, openImage, readablyImage } from './image-source.ts';
import { type SharpLibrary, withSharp } from './sharp-library.ts';

/** How the result is written: fields that all transforming tools share. */
export const outputFields = {
  format: z
    .enum(imageFormatNames)
    .optional()
    .describe('Format of the result; by default that of saveAs, else of the image.'),
  quality: z
    .number()
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      'Quality for jpeg, webp, avif and tiff, 1 to 100; by default 80, avif 50. PNG and GIF: fewer colours below 100.',
    ),
  saveAs: fileNameShape
    .optional()
    .describe('Save the result under this name; the extension may be left out.'),
  overwrite: z.boolean().default(false).describe('Replace a saved image of that name.'),
  returnImage: z
    .boolean()
    .default(true)
    .describe('Return the image itself; false returns only its description.'),
};

export const resultShape = z.object({
  format: z.enum(imageFormatNames).describe('Format of the result.'),
  width: z.number().int().describe('Width in pixels.'),
  height: z.number().int().describe('Height in pixels, of one frame.'),
  bytes: z.number().int().describe('Size of the result.'),
  file: z.string().optional().describe('Name under which it was saved; usable as image.file.'),
  frames: z.number().int().optional().describe('Frames of an animation.'),
});

export interface OutputChoice {
  readonly format?: ImageFormat;
  readonly quality?: number;
  readonly saveAs?: string;
  readonly overwrite: boolean;
  readonly returnImage: boolean;
}

/** Changes a pipeline; may need other images, already opened. */
type Change = (pipeline: Sharp, sharp: SharpLibrary) => Sharp | Promise<Sharp>;

/** Runs a change on an image and answers with the result. `keepFrames` lets an animation stay one. */
export async function produce(
  image: LoadedImage,
  output: OutputChoice,
  context: ImageContext,
  change: Change,
  keepFrames = false,
) {
  const format = output.format ?? formatOfExtension(extensionOf(output.saveAs)) ?? image.format;
  const file = output.saveAs === undefined ? undefined : fileNameFor(output.saveAs, format);
  const { bytes, info } = await withSharp(
    (sharp) =>
      readablyImage(image.field, async () => {
        const animated = keepFrames && imageFormats[format].animated && imageFormats[image.format].animated;
        const changed = await change(openImage(sharp, image, context, animated), sharp);
        const { data, info } = await encode(changed, format, output.quality).toBuffer({
          resolveWithObject: true,
        });
        return { bytes: data, info };
      }),
    context.signal,
  );
  const frames = info.pages !== undefined && info.pages > 1 ? info.pages : undefined;
  const height = frames === undefined ? info.height : (info.pageHeight ?? Math.round(info.height / frames));
  const description = { format, width: info.width, height, bytes: bytes.length, file, frames };
  if (output.returnImage && file === undefined) checkInline(bytes, context);
  if (file !== undefined) await saveImageFile(context, file, bytes, output.overwrite);
  return withContent(description, blocksFor(description, bytes, output.returnImage, context));
}

function extensionOf(name: string | undefined): string {
  return /\.[^.]*$/.exec(name ?? '')?.[0] ?? '';
}

function encode(pipeline: Sharp, format: ImageFormat, quality: number | undefined): Sharp {
  // JPEG has no transparency: white is what most viewers show behind it.
  if (format === 'jpeg')
    return pipeline.flatten({ background: '#ffffff' }).jpeg({ quality: quality ?? 80, mozjpeg: false });
  if (format === 'png') return pipeline.png(quality === undefined || quality === 100 ? {} : { quality });
  if (format === 'webp') return pipeline.webp({ quality: quality ?? 80 });
  if (format === 'avif') return pipeline.avif({ quality: quality ?? 50, effort: 3 });
  if (format === 'tiff') return pipeline.tiff({ quality: quality ?? 80 });
  return pipeline.gif({ colours: Math.max(2, Math.round(((quality ?? 100) / 100) * 256)) });
}

function checkInline(bytes: Buffer, context: ImageContext): void {
  const limit = context.settings.maxInlineBytes;
  if (bytes.length <= limit) return;
  throw new ToolError(
    `saveAs: the result has ${bytes.length} bytes, more than the ${limit} an answer may hold; ` +
      'give saveAs, a smaller size or a lower quality',
  );
}

function blocksFor(
  description: z.infer<typeof resultShape>,
  bytes: Buffer,
  returnImage: boolean,
  context: ImageContext,
): ContentBlock[] {
  const { width, height, format, file } = description;
  const saved = file === undefined ? '' : `, saved as ${file}`;
  const text = { type: 'text', text: `${width}×${height} ${format}, ${bytes.length} bytes${saved}` };
  if (!returnImage || bytes.length > context.settings.maxInlineBytes) return [text];
  return [text, { type: 'image', data: bytes.toString('base64'), mimeType: imageFormats[format].mimeType }];
}
