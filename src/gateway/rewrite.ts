/** Puts our URI prefix on every URI inside an answer, and leaves all else as it came. */

import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';

export type MapUri = (uri: string) => string;

function mapBlock(block: unknown, mapUri: MapUri): unknown {
  if (!isJsonObject(block)) return block;
  if (block['type'] === 'resource_link' && typeof block['uri'] === 'string') {
    return { ...block, uri: mapUri(block['uri']) };
  }
  const { resource } = block;
  if (block['type'] === 'resource' && isJsonObject(resource) && typeof resource['uri'] === 'string') {
    return { ...block, resource: { ...resource, uri: mapUri(resource['uri']) } };
  }
  return block;
}

function mapMessage(message: unknown, mapUri: MapUri): unknown {
  return isJsonObject(message) ? { ...message, content: mapBlock(message['content'], mapUri) } : message;
}

/** `_meta.ui.resourceUri` and the older flat key of MCP Apps, on tools and on results. */
export function rewriteMeta(item: JsonObject, mapUri: MapUri): JsonObject {
  const meta = item['_meta'];
  if (!isJsonObject(meta)) return item;
  const { ui } = meta;
  const flat = meta['ui/resourceUri'];
  const isNested = isJsonObject(ui) && typeof ui['resourceUri'] === 'string';
  if (!isNested && typeof flat !== 'string') return item;
  return {
    ...item,
    _meta: {
      ...meta,
      ...(isNested && { ui: { ...ui, resourceUri: mapUri(ui['resourceUri'] as string) } }),
      ...(typeof flat === 'string' && { 'ui/resourceUri': mapUri(flat) }),
    },
  };
}

/** An answer of tools/call, prompts/get or resources/read with its URIs mapped. */
export function rewriteResult(result: JsonObject, mapUri: MapUri): JsonObject {
  let out = rewriteMeta(result, mapUri);
  const { content, contents, messages } = out;
  if (Array.isArray(content) && content.some(isResourceBlock)) {
    out = { ...out, content: content.map((block) => mapBlock(block, mapUri)) };
  }
  if (Array.isArray(messages))
    out = { ...out, messages: messages.map((message) => mapMessage(message, mapUri)) };
  if (Array.isArray(contents)) {
    out = {
      ...out,
      contents: contents.map((part: unknown) =>
        isJsonObject(part) && typeof part['uri'] === 'string' ? { ...part, uri: mapUri(part['uri']) } : part,
      ),
    };
  }
  return out;
}

function isResourceBlock(block: unknown): boolean {
  return isJsonObject(block) && (block['type'] === 'resource_link' || block['type'] === 'resource');
}
