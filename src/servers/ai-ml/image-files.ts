/** Images as files of the server's `images` folder. */

import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';
import { type ImageFormat, imageFormats, formatOfExtension } from './image-formats.ts';
import type { ImageContext } from './image-settings.ts';

/** No folders, no hidden files, no device names of Windows; any script. */
export const fileNameShape = z
  .string()
  .max(100)
  .regex(/^[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N} ._-]*$/u, {
    error: 'must be a plain file name: letters, digits, space, . _ -',
  })
  .refine((name) => !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name) && !/[. ]$/.test(name), {
    error: 'is not a file name on Windows; choose another',
  })
  .transform((name) => name.normalize('NFC'));

export interface ImageFile {
  readonly file: string;
  readonly bytes: number;
  readonly modifiedAt: string;
}

function folderOf(context: ImageContext): string {
  return join(context.instance.dataDir, 'images');
}

/** Reads a file of the folder; a link is not followed. Throws a ToolError that lists what there is. */
export async function readImageFile(context: ImageContext, file: string): Promise<Buffer> {
  const path = join(folderOf(context), file);
  // Without O_NOFOLLOW (Windows) a link in this folder can only come from someone with access to it.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const handle = await open(path, flags).catch(() => undefined);
  if (!handle) {
    const known = (await listImageFiles(context)).slice(0, 30).map((image) => image.file);
    throw new ToolError(`file: there is no image ${file}; there are ${known.join(', ') || 'none yet'}`);
  }
  await using opened = handle;
  const found = await opened.stat();
  const limit = context.settings.maxInputBytes;
  if (!found.isFile()) throw new ToolError(`file: ${file} is not a regular file`);
  if (found.size > limit) throw new ToolError(`file: ${file} is ${found.size} bytes, the limit is ${limit}`);
  return opened.readFile();
}

/** The images of the folder by name. */
export async function listImageFiles(context: ImageContext): Promise<ImageFile[]> {
  const folder = folderOf(context);
  const names = (await readdir(folder).catch(() => [])).filter((name) => formatOfExtension(extname(name)));
  const files = await Promise.all(
    names.toSorted().map(async (file) => {
      const found = await stat(join(folder, file)).catch(() => undefined);
      if (!found?.isFile()) return [];
      return { file, bytes: found.size, modifiedAt: found.mtime.toISOString() };
    }),
  );
  return files.flat();
}

/** The name to save under: with the extension of the format. */
export function fileNameFor(saveAs: string, format: ImageFormat): string {
  const given = formatOfExtension(extname(saveAs));
  if (given === format) return saveAs;
  if (given === undefined) return `${saveAs}.${imageFormats[format].extension}`;
  throw new ToolError(`saveAs: ${saveAs} ends like ${given} but format is ${format}; change one of them`);
}

/** Saves under the name; an existing file stays unless `overwrite`. Half a file never has the name. */
export async function saveImageFile(
  context: ImageContext,
  file: string,
  bytes: Buffer,
  overwrite: boolean,
): Promise<void> {
  const folder = folderOf(context);
  await mkdir(folder, { recursive: true });
  const path = join(folder, file);
  const partial = `${path}.${crypto.randomUUID()}.part`;
  if (!overwrite) await reserve(path, file);
  try {
    await using handle = await open(partial, 'wx');
    await handle.writeFile(bytes);
    await handle.sync();
    await handle.close();
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    if (!overwrite) await rm(path, { force: true });
    throw error;
  }
}

/** Takes the name with an empty file, so that two calls never share it. */
async function reserve(path: string, file: string): Promise<void> {
  try {
    await (await open(path, 'wx')).close();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new ToolError(`saveAs: ${file} exists; choose another name or set overwrite to true`);
  }
}

/** Deletes a file of the folder; false when there is none. */
export async function deleteImageFile(context: ImageContext, file: string): Promise<boolean> {
  const path = join(folderOf(context), file);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return false;
  await rm(path);
  return true;
}
