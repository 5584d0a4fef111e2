/** `x-mcp-header` in a tool's input schema: arguments that clients repeat as `Mcp-Param-*` headers (2026-07-28). */

import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';

export interface ParamHeader {
  /** Path of the argument inside `arguments`. */
  readonly path: readonly string[];
  /** Header name after `mcp-param-`, lower case. */
  readonly header: string;
}

const maxDepth = 16;

/** All declarations of an input schema, found through `properties` only. */
export function paramHeadersOf(inputSchema: unknown, path: readonly string[] = []): ParamHeader[] {
  if (!isJsonObject(inputSchema) || !isJsonObject(inputSchema['properties']) || path.length > maxDepth)
    return [];
  const found: ParamHeader[] = [];
  for (const [name, schema] of Object.entries(inputSchema['properties'])) {
    if (!isJsonObject(schema)) continue;
    const header = schema['x-mcp-header'];
    if (typeof header === 'string') found.push({ path: [...path, name], header: header.toLowerCase() });
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
