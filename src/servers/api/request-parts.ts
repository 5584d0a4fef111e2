/** What a caller says about a request, as shapes, and how it becomes headers, URL and body. */

import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';
import { acceptEncoding } from './response-body.ts';

export const urlShape = z.string().min(1).max(8192).describe('Absolute http:// or https:// URL.');

export const headersShape = z
  .record(z.string().min(1).max(200), z.string().max(16_384))
  .describe('Request headers by name. Host, Content-Length and connection headers are set for you.');

const queryValue = z.union([z.string(), z.number(), z.boolean()]);
export const queryShape = z
  .record(z.string(), z.union([queryValue, z.array(queryValue)]))
  .describe('Query parameters, encoded and added to the URL; an array repeats the parameter.');

export const timeoutShape = z
  .number()
  .int()
  .min(100)
  .max(120_000)
  .describe('Milliseconds for the whole exchange, redirects and body included.');

export const maxRedirectsShape = z
  .number()
  .int()
  .min(0)
  .max(10)
  .describe('How many redirects to follow; 0 returns the redirect itself. Each one is checked anew.');

/** The three ways to give a body; at most one of them. */
export interface BodyChoice {
  readonly json?: unknown;
  readonly text?: string;
  readonly form?: Readonly<Record<string, string>>;
}

const ownHeaders = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The URL with the query parameters added; what the URL already has stays. */
export function withQuery(text: string, query: z.infer<typeof queryShape> | undefined): string {
  const url = URL.parse(text);
  if (!url || query === undefined) return text;
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one));
  }
  return url.href;
}

/** Lower-cased headers with defaults filled in; throws a ToolError for one that only the client may set. */
export function requestHeaders(
  given: Readonly<Record<string, string>>,
  defaults: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const headers: Record<string, string> = { 'accept-encoding': acceptEncoding };
  for (const [name, value] of Object.entries(defaults)) if (value !== undefined) headers[name] = value;
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase();
    if (ownHeaders.has(lower))
      throw new ToolError(`headers: ${name} is set by the client itself; leave it out`);
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) {
      throw new ToolError(`headers: ${JSON.stringify(name)} is not a header name; use letters, digits and -`);
    }
    // The value is not repeated: it may be a credential.
    if (!/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) {
      throw new ToolError(
        `headers: the value of ${name} has a line break or a character outside Latin-1; encode it`,
      );
    }
    headers[lower] = value;
  }
  return headers;
}

/** The body's text and media type, or undefined when there is none. */
export function requestBody(
  choice: BodyChoice,
  method: string,
): { body: string; contentType: string } | undefined {
  const given = (['json', 'text', 'form'] as const).filter((name) => choice[name] !== undefined);
  if (given.length > 1) throw new ToolError(`${given.join(', ')}: give only one of json, text and form`);
  if (given.length === 0) return undefined;
  if (method === 'GET' || method === 'HEAD') {
    throw new ToolError(`${given[0]}: a ${method} request has no body; use query or another method`);
  }
  if (choice.text !== undefined) return { body: choice.text, contentType: 'text/plain; charset=utf-8' };
  if (choice.form !== undefined) {
    return {
      body: new URLSearchParams(choice.form).toString(),
      contentType: 'application/x-www-form-urlencoded',
    };
  }
  return { body: JSON.stringify(choice.json), contentType: 'application/json' };
}
