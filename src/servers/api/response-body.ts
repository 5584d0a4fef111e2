/** Reads a response's body within a limit: decompressed, decoded, and never more than asked for. */

import { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Dispatcher } from 'undici';

export interface BoundedBody {
  readonly bytes: Buffer;
  /** True when the body went on beyond the limit. */
  readonly truncated: boolean;
}

/** What `acceptEncoding` announces can be undone here. */
export const acceptEncoding = 'gzip, br, zstd, deflate';

/** The body as a stream without its Content-Encoding; an unknown encoding passes as it is. */
export function decompressed(response: Dispatcher.ResponseData): Readable {
  const header = response.headers['content-encoding'];
  const encodings = String(header ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity');
  let stream: Readable = response.body;
  // A server may stack encodings; more than two is an attack, not a use.
  for (const encoding of encodings.slice(0, 2).toReversed()) {
    const decoder = decoderOf(encoding);
    if (!decoder) return stream;
    const source = stream;
    source.on('error', (error) => decoder.destroy(error));
    decoder.on('close', () => source.destroy());
    stream = source.pipe(decoder);
  }
  return stream;
}

function decoderOf(encoding: string) {
  if (encoding === 'gzip' || encoding === 'x-gzip') return createGunzip();
  if (encoding === 'br') return createBrotliDecompress();
  if (encoding === 'deflate') return createInflate();
  if (encoding === 'zstd') return createZstdDecompress();
  return undefined;
}

/** Reads at most `maxBytes` of the decompressed body and drops the connection if there is more. */
export async function readBody(
  response: Dispatcher.ResponseData,
  maxBytes: number,
  method: string,
): Promise<BoundedBody> {
  if (method === 'HEAD' || response.statusCode === 204 || response.statusCode === 304) {
    await response.body.dump({ limit: 0 }).catch(() => {});
    return { bytes: Buffer.alloc(0), truncated: false };
  }
  const chunks: Buffer[] = [];
  let size = 0;
  const stream = decompressed(response);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  const bytes = Buffer.concat(chunks, size);
  return { bytes: bytes.subarray(0, maxBytes), truncated: size > maxBytes };
}

/** Text if the media type or the bytes say so, else base64. */
export function presentBody(
  bytes: Buffer,
  contentType: string,
  truncated: boolean,
): { body: string; bodyEncoding: 'text' | 'base64' } {
  const declared = /charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1];
  const saysText =
    /^(text\/|application\/(.*\+)?(json|xml|javascript|x-www-form-urlencoded|yaml|toml|graphql))/i.test(
      contentType,
    );
  if (declared !== undefined || saysText) {
    const decoder = decoderFor(declared ?? 'utf-8');
    if (decoder) return { body: decoder.decode(bytes), bodyEncoding: 'text' };
  }
  try {
    // `stream` lets a character that the limit cut in two pass at the end.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: truncated });
    if (!text.includes('\u0000')) return { body: text, bodyEncoding: 'text' };
  } catch {
    // not UTF-8: binary
  }
  return { body: bytes.toString('base64'), bodyEncoding: 'base64' };
}

function decoderFor(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset);
  } catch {
    return undefined;
  }
}
