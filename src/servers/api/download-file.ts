/** The tool that keeps a response as a file. */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { defineTool, type ToolContext, ToolError } from '../../kernel/define-server.ts';
import { openExchange, type OpenExchange } from './exchange.ts';
import type { HttpSettings } from './http-settings.ts';
import { readableFailure } from './outgoing.ts';
import { headersShape, timeoutShape, urlShape } from './request-parts.ts';
import { decompressed } from './response-body.ts';

const nameShape = z
  .string()
  .min(1)
  .max(200)
  .describe('File name in the downloads folder; by default taken from the answer or the URL.');

export const downloadFile = defineTool({
  name: 'download_file',
  title: 'Download a file',
  description:
    'Download a URL into the downloads folder of this server, for files too large or too binary for http_request. ' +
    'Returns the path, the size and the SHA-256. An existing file is kept unless overwrite is true.',
  input: z.strictObject({
    url: urlShape,
    name: nameShape.optional(),
    headers: headersShape.optional(),
    overwrite: z.boolean().default(false).describe('Replace a file of that name.'),
    sha256: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .optional()
      .describe('Expected SHA-256 in hex; a file that differs is not kept.'),
    timeoutMs: timeoutShape.default(60_000),
  }),
  output: z.object({
    path: z.string().describe('Absolute path of the file.'),
    name: z.string().describe('Its name in the downloads folder.'),
    bytes: z.number().int().describe('Its size.'),
    sha256: z.string().describe('Its SHA-256 in hex.'),
    contentType: z.string().describe('Content-Type header, or empty.'),
    url: z.string().describe('Where it came from, after redirects.'),
  }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  run: async (args, context: ToolContext<HttpSettings>) => {
    if (args.name !== undefined) checkName(args.name);
    const answer = await openExchange(
      { ...args, method: 'GET', headers: args.headers ?? {}, maxRedirects: 5 },
      context,
    );
    const { statusCode, headers } = answer.response;
    if (statusCode < 200 || statusCode > 299 || answer.notFollowed !== undefined) {
      answer.response.body.destroy();
      throw new ToolError(
        `url: ${answer.url.host} answered ${statusCode}, nothing was kept; look with http_request`,
      );
    }
    const name = args.name ?? nameFor(answer.url, String(headers['content-disposition'] ?? ''));
    const folder = join(context.instance.dataDir, 'downloads');
    await mkdir(folder, { recursive: true });
    const kept = await keep(answer, join(folder, name), args, context);
    return { ...kept, name, contentType: String(headers['content-type'] ?? ''), url: answer.url.href };
  },
});

function checkName(name: string): void {
  if (safeName(name) === name) return;
  throw new ToolError(
    `name: ${JSON.stringify(name)} is not a plain file name; e.g. ${JSON.stringify(safeName(name))}`,
  );
}

/** A file name that every platform takes: no folders, control or reserved characters, device names or outer dots. */
function safeName(name: string): string {
  const plain = name
    .normalize('NFC')
    .replaceAll(/[\p{Cc}<>:"/\\|?*]/gu, '_')
    .slice(0, 100)
    .toWellFormed();
  const trimmed = plain.replaceAll(/^[\s.]+|[\s.]+$/g, '');
  if (trimmed === '') return 'download';
  return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(trimmed) ? `_${trimmed}` : trimmed;
}

/** The name that the server gives (RFC 6266), else the last segment of the URL. */
function nameFor(url: URL, disposition: string): string {
  const extended = /filename\*\s*=\s*utf-8''([^;]+)/i.exec(disposition)?.[1];
  const plain = /filename\s*=\s*(?:"([^"]*)"|([^;\s]+))/i.exec(disposition);
  const given = extended ?? plain?.[1] ?? plain?.[2] ?? url.pathname.split('/').at(-1) ?? '';
  return safeName(basename(decoded(given)));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Writes beside the target and renames at the end, so that a half file never has the final name. */
async function keep(
  answer: OpenExchange,
  path: string,
  wish: { readonly overwrite: boolean; readonly sha256?: string },
  context: ToolContext<HttpSettings>,
): Promise<{ path: string; bytes: number; sha256: string }> {
  const partial = `${path}.${randomUUID()}.part`;
  const reserved = wish.overwrite ? false : await reserve(path, answer);
  try {
    const { bytes, sha256 } = await writeBody(answer, partial, context);
    if (wish.sha256 !== undefined && wish.sha256.toLowerCase() !== sha256) {
      throw new ToolError(`sha256: the file has ${sha256}, not ${wish.sha256}; nothing was kept`);
    }
    await rename(partial, path);
    return { path, bytes, sha256 };
  } catch (error) {
    await rm(partial, { force: true });
    if (reserved) await rm(path, { force: true });
    throw readableFailure(error, answer.url, answer.signal);
  }
}

/** Takes the name with an empty file, so that two downloads never share it. */
async function reserve(path: string, answer: OpenExchange): Promise<true> {
  try {
    await (await open(path, 'wx')).close();
    return true;
  } catch (error) {
    answer.response.body.destroy();
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    throw new ToolError(`name: ${basename(path)} exists; choose another name or set overwrite to true`);
  }
}

async function writeBody(
  answer: OpenExchange,
  partial: string,
  context: ToolContext<HttpSettings>,
): Promise<{ bytes: number; sha256: string }> {
  const total = Number(answer.response.headers['content-length'] ?? '') || undefined;
  const limit = context.settings.maxDownloadBytes;
  const hash = createHash('sha256');
  const stream = decompressed(answer.response);
  let bytes = 0;
  await using file = await open(partial, 'wx');
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) {
      throw new ToolError(
        `url: the file is larger than the limit of ${limit} bytes (setting maxDownloadBytes)`,
      );
    }
    hash.update(chunk);
    await file.writeFile(chunk);
    context.progress({ progress: bytes, total });
  }
  await file.sync();
  return { bytes, sha256: hash.digest('hex') };
}
