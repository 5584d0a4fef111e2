/** Headers of a modern request (2026-07-28), which repeat what its body says. */

import { isJsonObject, type JsonObject, type RpcRequest } from '../../kernel/json-rpc.ts';
import { isModernVersion, mcpHeaders, metaKeys, namedMethods } from '../../kernel/protocol.ts';

/** Header name → path of the argument that it repeats. */
type ToolHeaders = ReadonlyMap<string, readonly string[]>;

/** What lists have said about headers so far. */
export interface HeaderMemory {
  /** Takes note of the `x-mcp-header` declarations in a tools/list result. */
  learn(result: unknown): void;
  headersOf(request: RpcRequest): Record<string, string>;
}

const maxDepth = 16;

/** The version in the request's envelope if it is a modern one. */
export function modernVersionOf(message: unknown): string | undefined {
  const params = isJsonObject(message) ? message['params'] : undefined;
  const meta = isJsonObject(params) ? params['_meta'] : undefined;
  const version = isJsonObject(meta) ? meta[metaKeys.protocolVersion] : undefined;
  return typeof version === 'string' && isModernVersion(version) ? version : undefined;
}

/** Text as a header can carry it: what is not plain visible ASCII travels as Base64. */
function encoded(value: string): string {
  const isPlain =
    /^[\u0021-\u007E]([\u0020-\u007E]*[\u0021-\u007E])?$/.test(value) && !/^=\?base64\?.*\?=$/.test(value);
  return isPlain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}

function collect(schema: unknown, path: readonly string[], found: Map<string, readonly string[]>): void {
  if (!isJsonObject(schema) || !isJsonObject(schema['properties']) || path.length > maxDepth) return;
  for (const [name, child] of Object.entries(schema['properties'])) {
    if (!isJsonObject(child)) continue;
    const header = child['x-mcp-header'];
    if (typeof header === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(header))
      found.set(header.toLowerCase(), [...path, name]);
    collect(child, [...path, name], found);
  }
}

function valueAt(args: unknown, path: readonly string[]): string | undefined {
  let value = args;
  for (const name of path) value = isJsonObject(value) ? value[name] : undefined;
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isScalar ? String(value) : undefined;
}

/** Remembers what lists said, so that calls carry the headers their tools declare. */
export function createHeaderMemory(): HeaderMemory {
  const tools = new Map<string, ToolHeaders>();
  return {
    learn(result) {
      const listed = isJsonObject(result) && Array.isArray(result['tools']) ? result['tools'] : [];
      for (const tool of listed.filter(isJsonObject)) {
        const found = new Map<string, readonly string[]>();
        collect(tool['inputSchema'], [], found);
        if (typeof tool['name'] === 'string') tools.set(tool['name'], found);
      }
    },
    headersOf(request) {
      const params: JsonObject = request.params ?? {};
      const field = namedMethods[request.method];
      const name = field === undefined ? undefined : params[field];
      const headers: Record<string, string> = {
        [mcpHeaders.protocolVersion]: modernVersionOf(request) ?? '',
        [mcpHeaders.method]: encoded(request.method),
      };
      if (typeof name !== 'string') return headers;
      headers[mcpHeaders.name] = encoded(name);
      for (const [header, path] of (request.method === 'tools/call' && tools.get(name)) || []) {
        const value = valueAt(params['arguments'], path);
        if (value !== undefined) headers[mcpHeaders.paramPrefix + header] = encoded(value);
      }
      return headers;
    },
  };
}
