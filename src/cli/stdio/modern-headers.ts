/** Headers of a modern request (2026-07-28), which repeat what its body says. */

import { isJsonObject, type JsonObject, type RpcRequest } from '../../kernel/json-rpc.ts';
import {
  encodeHeaderValue,
  headerValueOf,
  type ParamHeader,
  paramHeadersOf,
} from '../../kernel/param-headers.ts';
import { isModernVersion, mcpHeaders, metaKeys, namedMethods } from '../../kernel/protocol.ts';

/** What lists have said about headers so far. */
export interface HeaderMemory {
  /** Takes note of the `x-mcp-header` declarations in a tools/list result. */
  learn(result: unknown): void;
  headersOf(request: RpcRequest): Record<string, string>;
}

/** The version in the request's envelope if it is a modern one. */
export function modernVersionOf(message: unknown): string | undefined {
  const params = isJsonObject(message) ? message['params'] : undefined;
  const meta = isJsonObject(params) ? params['_meta'] : undefined;
  const version = isJsonObject(meta) ? meta[metaKeys.protocolVersion] : undefined;
  return typeof version === 'string' && isModernVersion(version) ? version : undefined;
}

/** Remembers what lists said, so that calls carry the headers their tools declare. */
export function createHeaderMemory(): HeaderMemory {
  const tools = new Map<string, readonly ParamHeader[]>();
  return {
    learn(result) {
      const listed = isJsonObject(result) && Array.isArray(result['tools']) ? result['tools'] : [];
      for (const tool of listed.filter(isJsonObject)) {
        if (typeof tool['name'] === 'string') tools.set(tool['name'], paramHeadersOf(tool['inputSchema']));
      }
    },
    headersOf(request) {
      const params: JsonObject = request.params ?? {};
      const field = namedMethods[request.method];
      const name = field === undefined ? undefined : params[field];
      const headers: Record<string, string> = {
        [mcpHeaders.protocolVersion]: modernVersionOf(request) ?? '',
        [mcpHeaders.method]: encodeHeaderValue(request.method),
      };
      if (typeof name !== 'string') return headers;
      headers[mcpHeaders.name] = encodeHeaderValue(name);
      for (const { header, path } of (request.method === 'tools/call' && tools.get(name)) || []) {
        const value = headerValueOf(params['arguments'], path);
        if (value !== undefined) headers[mcpHeaders.paramPrefix + header] = encodeHeaderValue(value);
      }
      return headers;
    },
  };
}
