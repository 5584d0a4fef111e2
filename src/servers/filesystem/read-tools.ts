/** Tools that read files: text by lines, bytes, and facts. */

import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';
import type { FileContext } from './file-settings.ts';
import { defineFileTool, looks, pathShape, shownShape } from './file-tool.ts';
import { openFile } from './open-file.ts';
import { locate, type Located, mustExist, openRoots } from './path-guard.ts';
import { inFolder } from './pinned-folder.ts';
import { readLines } from './read-text.ts';
import { detectEncoding, type TextEncoding, textEncodings } from './text-encoding.ts';

/** Enough to tell the encoding. */
const sampleBytes = 64 * 1024;

export const listRoots = defineFileTool({
  name: 'list_roots',
  title: 'List allowed folders',
  description:
    'List the folders that this server may use. Relative paths start in the first one. Call it once at the start.',
  input: z.strictObject({}),
  output: z.object({
    roots: z
      .array(z.string().describe('Absolute folder.'))
      .describe('Allowed folders; the first is where relative paths start.'),
    readOnly: z.boolean().describe('True when nothing can be changed.'),
  }),
  annotations: looks,
  run: async (_, context) => ({
    roots: (await openRoots(context)).map(({ path }) => path),
    readOnly: context.settings.readOnly,
  }),
});

export const readFile = defineFileTool({
  name: 'read_file',
  title: 'Read a file',
  description:
    'Read a text file, whole or from startLine for maxLines; go on at nextLine when there is more. The encoding is ' +
    'recognised (UTF-8, UTF-16); name it for older ones such as windows-874 (Thai). Binary files come as Base64 from ' +
    'startByte. Use search_content to find a place in a large file first.',
  input: z.strictObject({
    path: pathShape,
    encoding: z
      .enum(['auto', ...textEncodings, 'base64'])
      .default('auto')
      .describe('auto, the encoding of the text, or base64 for the bytes.'),
    startLine: z.number().int().min(1).max(1e9).default(1).describe('First line of text, from 1.'),
    maxLines: z.number().int().min(1).max(100_000).default(2000).describe('Most lines of text.'),
    startByte: z
      .number()
      .int()
      .min(0)
      .max(Number.MAX_SAFE_INTEGER)
      .default(0)
      .describe('First byte, for Base64, from 0.'),
  }),
  output: z.object({
    path: shownShape,
    encoding: z.enum([...textEncodings, 'base64']).describe('How content is to be understood.'),
    content: z.string().describe('Text with its line ends, or bytes in Base64.'),
    lines: z.number().int().optional().describe('Lines in content, for text.'),
    nextLine: z.number().int().optional().describe('startLine to go on with, when there is more.'),
    nextByte: z.number().int().optional().describe('startByte to go on with, when there is more.'),
    cut: z
      .boolean()
      .optional()
      .describe('True when the one line was too long and is cut; read the bytes for all of it.'),
    totalBytes: z.number().int().describe('Size of the file.'),
  }),
  annotations: looks,
  run: async (args, context) => {
    const located = mustExist(await locate(args.path, context));
    await using file = await openFile(located, constants.O_RDONLY);
    const totalBytes = (await file.stat()).size;
    const shared = { path: located.shown, totalBytes };
    const encoding = args.encoding === 'auto' ? await detect(file) : args.encoding;
    if (encoding === 'base64')
      return { ...shared, ...(await readBytes(file, args.startByte, totalBytes, context)) };
    const range = { ...args, maxBytes: context.settings.maxReadBytes };
    const { text, lines, nextLine, cut } = await readLines(file, encoding, range, context.signal);
    return { ...shared, encoding, content: text, lines, nextLine, cut: cut || undefined };
  },
});

async function detect(file: FileHandle): Promise<TextEncoding | 'base64'> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sampleBytes), 0, sampleBytes, 0);
  const { encoding } = detectEncoding(buffer.subarray(0, bytesRead));
  return encoding === 'binary' ? 'base64' : encoding;
}

async function readBytes(file: FileHandle, start: number, total: number, context: FileContext) {
  const wanted = Math.max(0, Math.min(context.settings.maxReadBytes, total - start));
  const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, start);
  const end = start + bytesRead;
  return {
    encoding: 'base64' as const,
    content: buffer.subarray(0, bytesRead).toString('base64'),
    nextByte: end < total ? end : undefined,
  };
}

export const fileInfo = defineFileTool({
  name: 'file_info',
  title: 'Describe a file or folder',
  description: 'Tell type, size and times of a file, folder or link, and on request the SHA-256 of a file.',
  input: z.strictObject({
    path: pathShape,
    sha256: z.boolean().default(false).describe('Compute the SHA-256 of the content, for regular files.'),
  }),
  output: z.object({
    path: shownShape,
    type: z.enum(['file', 'folder', 'link', 'other']).describe('A link is not followed.'),
    bytes: z.number().int().describe('Size of the content.'),
    modifiedAt: z.string().describe('ISO 8601 time of the last change of the content.'),
    createdAt: z.string().optional().describe('ISO 8601 time, where the disk keeps it.'),
    mode: z.string().describe('Permission bits, octal; of little meaning on Windows.'),
    links: z.number().int().describe('How many names the file has.'),
    sha256: z.string().optional().describe('In hex, if asked for.'),
  }),
  annotations: looks,
  run: async (args, context) => {
    const located = mustExist(await locate(args.path, context, { follow: false }));
    const found = await lookAt(located);
    const sha256 = args.sha256 ? await hashOf(args.path, context) : undefined;
    return {
      path: located.shown,
      type: typeOf(found),
      bytes: found.size,
      modifiedAt: found.mtime.toISOString(),
      createdAt: found.birthtimeMs > 0 ? found.birthtime.toISOString() : undefined,
      mode: (found.mode & 0o7777).toString(8).padStart(4, '0'),
      links: found.nlink,
      sha256,
    };
  },
});

/** Facts of an entry itself; a link is not followed. */
export function lookAt(located: Located): Promise<Stats> {
  return inFolder(dirname(located.path), located, (at) => lstat(join(at, basename(located.path))));
}

/** What kind of thing an entry is. */
export function typeOf(
  entry: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink'>,
): 'file' | 'folder' | 'link' | 'other' {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

async function hashOf(path: string, context: FileContext): Promise<string> {
  const located = mustExist(await locate(path, context));
  await using file = await openFile(located, constants.O_RDONLY);
  const hash = createHash('sha256');
  for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    context.signal.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** Reads a whole file that is to be changed or searched; throws a ToolError when it is too large. */
export async function readWhole(located: Located, context: FileContext): Promise<Buffer> {
  await using file = await openFile(located, constants.O_RDONLY);
  const { size } = await file.stat();
  const limit = context.settings.maxFileBytes;
  if (size > limit) {
    throw new ToolError(
      `${located.field}: ${located.shown} is ${size} bytes, the limit is ${limit} (setting maxFileBytes)`,
    );
  }
  return file.readFile();
}
