/** HTTP client: requests to the public internet for models, behind an SSRF guard. */

import { z } from 'zod';
import { defineServer, defineTool, type ToolContext, ToolError } from '../../kernel/define-server.ts';
import { messageOf } from '../../kernel/errors.ts';
import { checkUrl } from './check-url.ts';
import { downloadFile } from './download-file.ts';
import { exchange, responseShape } from './exchange.ts';
import { type HttpSettings, httpSettingsShape } from './http-settings.ts';
import { atPointer } from './json-pointer.ts';
import {
  headersShape,
  maxRedirectsShape,
  queryShape,
  requestBody,
  timeoutShape,
  urlShape,
  withQuery,
} from './request-parts.ts';

/** JSON is parsed whole before a pointer picks from it, so more is read than is returned. */
const jsonReadLimitBytes = 8 * 1024 * 1024;

const maxBytesShape = z
  .number()
  .int()
  .min(1)
  .max(8 * 1024 * 1024)
  .describe('Most bytes of the body to return, after decompression; the rest is not read.');

const httpRequest = defineTool({
  name: 'http_request',
  title: 'Send an HTTP request',
  description:
    'Send any HTTP request to a public web address and get status, headers and body. Use it for APIs and pages; use ' +
    'http_get_json to read JSON and download_file for large files. An HTTP error status is an answer, not a failure: ' +
    'look at status. Give at most one of json, text and form as the body.',
  input: z.strictObject({
    url: urlShape,
    method: z
      .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      .default('GET')
      .describe('HTTP method.'),
    headers: headersShape.optional(),
    query: queryShape.optional(),
    json: z.unknown().optional().describe('Body as JSON; sets Content-Type unless headers do.'),
    text: z.string().max(8_000_000).optional().describe('Body as text; set Content-Type in headers.'),
    form: z.record(z.string(), z.string()).optional().describe('Body as a URL-encoded form.'),
    timeoutMs: timeoutShape.default(30_000),
    maxBytes: maxBytesShape.default(262_144),
    maxRedirects: maxRedirectsShape.default(5),
  }),
  output: responseShape,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  run: async (args, context: ToolContext<HttpSettings>) =>
    exchange(
      {
        ...args,
        url: withQuery(args.url, args.query),
        headers: args.headers ?? {},
        body: requestBody(args, args.method),
      },
      context,
    ),
});

const httpGetJson = defineTool({
  name: 'http_get_json',
  title: 'Get JSON',
  description:
    'GET a JSON document and return it parsed, or only the part at a JSON Pointer (RFC 6901, e.g. /items/0/name) so ' +
    'that a large answer stays short. Fails with the status and the start of the body when the answer is not JSON.',
  input: z.strictObject({
    url: urlShape,
    query: queryShape.optional(),
    headers: headersShape.optional(),
    pointer: z
      .string()
      .max(1000)
      .default('')
      .describe('JSON Pointer of the part to return; empty is all of it.'),
    timeoutMs: timeoutShape.default(30_000),
    maxBytes: maxBytesShape.default(262_144),
  }),
  output: z.object({
    status: z.number().int().describe('HTTP status code.'),
    url: z.string().describe('Where the answer came from, after redirects.'),
    value: z.unknown().describe('The parsed value at the pointer.'),
  }),
  annotations: { readOnlyHint: true, openWorldHint: true },
  run: async (args, context: ToolContext<HttpSettings>) => {
    const answer = await exchange(
      {
        url: withQuery(args.url, args.query),
        method: 'GET',
        headers: args.headers ?? {},
        accept: 'application/json',
        maxRedirects: 5,
        timeoutMs: args.timeoutMs,
        maxBytes: jsonReadLimitBytes,
      },
      context,
    );
    if (answer.truncated) {
      throw new ToolError(`url: the document is larger than ${jsonReadLimitBytes} bytes; use download_file`);
    }
    const value = atPointer(parseJson(answer), args.pointer);
    const size = Buffer.byteLength(JSON.stringify(value));
    if (size > args.maxBytes) {
      throw new ToolError(
        `pointer: the value is ${size} bytes, the limit is maxBytes ${args.maxBytes}; point deeper or raise it`,
      );
    }
    return { status: answer.status, url: answer.url, value };
  },
});

function parseJson(answer: z.infer<typeof responseShape>): unknown {
  const start = () => JSON.stringify(answer.body.slice(0, 300));
  if (!answer.ok)
    throw new ToolError(`url: the answer has status ${answer.status}; it starts with ${start()}`);
  try {
    return JSON.parse(answer.body.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new ToolError(`url: the answer is not JSON (${messageOf(error)}); it starts with ${start()}`, {
      cause: error,
    });
  }
}

export default defineServer({
  name: 'http-client',
  title: 'HTTP Client',
  description:
    'Sends HTTP requests, reads JSON, downloads files and checks sites, never into private networks.',
  version: '1.0.0',
  category: 'api',
  port: 3203,
  instructions:
    'Use http_get_json for JSON APIs, http_request for everything else, download_file for large files and check_url ' +
    'to see whether a site is up. Private and metadata addresses are refused unless the operator lists them.',
  settings: httpSettingsShape,
  tools: [httpRequest, httpGetJson, downloadFile, checkUrl],
});
