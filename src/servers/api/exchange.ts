/** One exchange of the HTTP client server: request out, bounded answer back. */

import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { ToolContext } from '../../kernel/define-server.ts';
import type { HttpSettings } from './http-settings.ts';
import { type OutgoingResponse, outgoingFor, readableFailure, send } from './outgoing.ts';
import { requestHeaders } from './request-parts.ts';
import { presentBody, readBody } from './response-body.ts';

export const responseShape = z.object({
  status: z.number().int().describe('HTTP status code.'),
  ok: z.boolean().describe('True for 200 to 299.'),
  url: z.string().describe('Where the answer came from, after redirects.'),
  redirectedFrom: z.array(z.string()).describe('URLs that redirected, in order.'),
  notFollowed: z.string().optional().describe('Why a redirect was not followed, if one was not.'),
  headers: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .describe('Response headers, lower-case names.'),
  contentType: z.string().describe('Content-Type header, or empty.'),
  body: z.string().describe('The body as text or base64.'),
  bodyEncoding: z.enum(['text', 'base64']).describe('How body is written.'),
  bytes: z.number().int().describe('Bytes of the body that were read, after decompression.'),
  truncated: z.boolean().describe('True when the body was longer than maxBytes; the rest was not read.'),
  durationMs: z.number().int().describe('Milliseconds from the start to the last byte read.'),
});

export interface ExchangeWish {
  readonly url: string;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: { readonly body: string; readonly contentType: string };
  readonly maxRedirects: number;
  readonly timeoutMs: number;
  readonly accept?: string;
}

export interface OpenExchange extends OutgoingResponse {
  readonly startedMs: number;
  readonly signal: AbortSignal;
}

/** Sends the request; the caller reads the body under `signal`, which ends with the timeout. */
export async function openExchange(
  wish: ExchangeWish,
  context: ToolContext<HttpSettings>,
): Promise<OpenExchange> {
  const startedMs = performance.now();
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(wish.timeoutMs)]);
  const headers = requestHeaders(wish.headers, {
    'user-agent': context.settings.userAgent,
    accept: wish.accept,
    'content-type': wish.body?.contentType,
  });
  const sent = await send(outgoingFor(context.settings), {
    url: wish.url,
    method: wish.method,
    headers,
    body: wish.body?.body,
    maxRedirects: wish.maxRedirects,
    signal,
  });
  return { ...sent, startedMs, signal };
}

/** Runs the whole exchange and describes the answer. */
export async function exchange(
  wish: ExchangeWish & { readonly maxBytes: number },
  context: ToolContext<HttpSettings>,
): Promise<z.infer<typeof responseShape>> {
  const open = await openExchange(wish, context);
  const { response } = open;
  try {
    const { bytes, truncated } = await readBody(response, wish.maxBytes, wish.method);
    const contentType = String(response.headers['content-type'] ?? '');
    return {
      status: response.statusCode,
      ok: response.statusCode >= 200 && response.statusCode < 300,
      url: open.url.href,
      redirectedFrom: [...open.redirectedFrom],
      notFollowed: open.notFollowed,
      headers: plainHeaders(response.headers),
      contentType,
      ...presentBody(bytes, contentType, truncated),
      bytes: bytes.length,
      truncated,
      durationMs: Math.round(performance.now() - open.startedMs),
    };
  } catch (error) {
    throw readableFailure(error, open.url, open.signal);
  }
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string | string[]] => entry[1] !== undefined),
  );
}
