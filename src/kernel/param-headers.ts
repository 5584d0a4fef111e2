/**
 * Headers that repeat something of the body (2026-07-28): `Mcp-Name`, and `Mcp-Param-*` for the arguments that a
 * tool's input schema marks with `x-mcp-header`.
 */

import { isJsonObject, type JsonObject } from './json-rpc.ts';

export interface ParamHeader {
  /** Path of the argument inside `arguments`. */
  readonly path: readonly string[];
  /** Header name after `mcp-param-`, lower case. */
  readonly header: string;
}

const maxDepth = 16;
/** RFC 9110 section 5.6.2: what a header's name may be made of. */
const headerToken = /^[\w!#$%&'*+.^`|~-]+$/;

/** All declarations of an input schema, found through `properties` only. */
export function paramHeadersOf(inputSchema: unknown, path: readonly string[] = []): ParamHeader[] {
  if (!isJsonObject(inputSchema) || !isJsonObject(inputSchema['properties']) || path.length > maxDepth)
    return [];
  const found: ParamHeader[] = [];
  for (const [name, schema] of Object.entries(inputSchema['properties'])) {
    if (!isJsonObject(schema)) continue;
    const header = schema['x-mcp-header'];
    if (typeof header === 'string' && headerToken.test(header))
      found.push({ path: [...path, name], header: header.toLowerCase() });
    found.push(...paramHeadersOf(schema, [...path, name]));
  }
  return found;
}

/** The value an argument should have in its header; undefined when it is absent, null or not a scalar. */
export function headerValueOf(args: unknown, path: readonly string[]): string | undefined {
  let value: unknown = args;
  for (const name of path) {
    if (!isJsonObject(value)) return undefined;
    value = (value satisfies JsonObject)[name];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

/** Visible ASCII with inner spaces and tabs: what survives a header field unchanged (RFC 9110 section 5.5). */
const plainValue = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/;
const looksEncoded = /^=\?base64\?.*\?=$/s;

/** The value itself where a header can carry it, else `=?base64?<UTF-8 in Base64>?=`. */
export function encodeHeaderValue(value: string): string {
  if (plainValue.test(value) && !looksEncoded.test(value)) return value;
  return `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

const sentinel = /^=\?base64\?(.*)\?=$/;

/** Decodes a header value that may carry the `=?base64?…?=` sentinel; undefined when that is malformed. */
export function decodeHeaderValue(raw: string): string | undefined {
  const trimmed = raw.trim();
  const match = sentinel.exec(trimmed);
  if (!match) return trimmed;
  const encoded = match[1] ?? '';
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.toString('base64') === encoded ? bytes.toString('utf8') : undefined;
}
