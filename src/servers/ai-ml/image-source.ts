/** Images as arguments of tools, and how they become sharp pipelines. */

import type { Sharp } from 'sharp';
import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';
import { messageOf } from '../../kernel/errors.ts';
import { fileNameShape, readImageFile } from './image-files.ts';
import { formatOfBytes, type ImageFormat, imageFormatNames } from './image-formats.ts';
import type { ImageContext } from './image-settings.ts';
import type { SharpLibrary } from './sharp-library.ts';

export const imageShape = z
  .strictObject({
    data: z
      .string()
      .max(700_000_000)
      .optional()
      .describe('The bytes of the image in Base64, with or without a data: URL prefix.'),
    file: fileNameShape.optional().describe('Name of an image saved before (see list_images).'),
  })
  .describe('The image: either data or file.');

type ImageArgument = z.output<typeof imageShape>;

export interface LoadedImage {
  readonly bytes: Buffer;
  readonly format: ImageFormat;
  /** Name of the argument, for errors. */
  readonly field: string;
}

/** Reads and recognises an image argument; its pixels are not decoded yet. */
export async function loadImage(
  argument: ImageArgument,
  context: ImageContext,
  field = 'image',
): Promise<LoadedImage> {
  const bytes = await bytesOf(argument, context, field);
  const format = formatOfBytes(bytes);
  if (format) return { bytes, format, field };
  throw new ToolError(
    `${field}: the bytes are none of ${imageFormatNames.join(', ')}; convert the image first`,
  );
}

async function bytesOf(argument: ImageArgument, context: ImageContext, field: string): Promise<Buffer> {
  if ((argument.data === undefined) === (argument.file === undefined)) {
    throw new ToolError(`${field}: give either data or file`);
  }
  if (argument.file !== undefined) return readImageFile(context, argument.file);
  const base64 = argument.data!.replace(/^data:[^,]{0,200};base64,/, '').replaceAll(/\s/g, '');
  const limit = context.settings.maxInputBytes;
  if (base64.length * 0.75 > limit + 3) {
    throw new ToolError(
      `${field}.data: over ${limit} bytes, the limit (setting maxInputBytes); send a smaller image`,
    );
  }
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(base64) || base64 === '') {
    throw new ToolError(`${field}.data: is not Base64; send the bytes of the file in Base64`);
  }
  return Buffer.from(base64, 'base64');
}

/** A pipeline on the image, turned upright by its EXIF orientation; `animated` reads all frames. */
export function openImage(
  sharp: SharpLibrary,
  image: LoadedImage,
  context: ImageContext,
  animated = false,
): Sharp {
  return sharp(image.bytes, {
    limitInputPixels: context.settings.maxPixels,
    failOn: 'error',
    animated,
    autoOrient: true,
  }).timeout({ seconds: Math.ceil(context.settings.timeoutMs / 1000) });
}

/** Runs sharp work; its errors become words about the field. */
export async function readablyImage<T>(field: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ToolError || (error instanceof Error && error.name === 'AbortError')) throw error;
    const problem = messageOf(error).split('\n')[0]!;
    if (/pixel limit/i.test(problem)) {
      throw new ToolError(
        `${field}: has more pixels than the limit (setting maxPixels); use a smaller image`,
      );
    }
    if (/timeout/i.test(problem)) {
      throw new ToolError(`${field}: took too long (setting timeoutMs); use a smaller image`);
    }
    throw new ToolError(`${field}: ${problem}`, { cause: error });
  }
}
