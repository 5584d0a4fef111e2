/** Walks the list methods of a fresh connection, every page, bounded. */

import type { CacheHint, Listing, ListKind } from '../catalog/listing.ts';
import { AppError } from '../kernel/errors.ts';
import { type JsonObject, RpcError, rpcCodes } from '../kernel/json-rpc.ts';
import type { Connection } from '../transport/connection.ts';
import { soundItem } from './sound-item.ts';

const maxPages = 1000;
const maxItems = 100_000;
/** Time for all pages of one list; a server that dribbles them is not up. */
const maxWalkMs = 120_000;

interface Walked {
  readonly items: readonly JsonObject[];
  readonly hint?: CacheHint;
}

async function walkPages(
  connection: Connection,
  method: string,
  field: string,
  server: string,
): Promise<Walked> {
  const items: JsonObject[] = [];
  let hint: CacheHint | undefined;
  const seen = new Set<string>();
  let cursor: string | undefined;
  const startedAtMs = performance.now();
  for (let page = 0; page < maxPages; page += 1) {
    const result = await connection.request(method, cursor === undefined ? {} : { cursor });
    const part = result[field];
    if (!Array.isArray(part)) {
      throw new AppError('UPSTREAM_PROTOCOL', {
        server,
        problem: `${method} answered without a list "${field}"`,
      });
    }
    for (const item of part) {
      const sound = soundItem(field as ListKind, item);
      if (sound) items.push(sound);
    }
    hint = stricter(hint, result);
    const next = result['nextCursor'];
    if (typeof next !== 'string' || next === '') return { items, hint };
    const isLate = performance.now() - startedAtMs > maxWalkMs;
    if (seen.has(next) || items.length > maxItems || isLate) {
      throw new AppError('UPSTREAM_PROTOCOL', { server, problem: `${method} does not come to an end` });
    }
    seen.add(next);
    cursor = next;
  }
  throw new AppError('UPSTREAM_PROTOCOL', { server, problem: `${method} has more than ${maxPages} pages` });
}

/** The shorter life and the narrower audience of two hints. */
function stricter(hint: CacheHint | undefined, page: JsonObject): CacheHint | undefined {
  const { ttlMs, cacheScope } = page;
  if (typeof ttlMs !== 'number') return hint;
  const own: CacheHint = {
    ttlMs: Math.max(0, ttlMs),
    cacheScope: cacheScope === 'public' ? 'public' : 'private',
  };
  if (!hint) return own;
  const isPrivate = hint.cacheScope === 'private' || own.cacheScope === 'private';
  return { ttlMs: Math.min(hint.ttlMs, own.ttlMs), cacheScope: isPrivate ? 'private' : 'public' };
}

/** A server may declare a capability and still not know the method: that is an empty list, not a failure. */
async function listOrNone(
  connection: Connection,
  capable: boolean,
  method: string,
  field: string,
  server: string,
): Promise<Walked> {
  if (!capable) return { items: [] };
  try {
    return await walkPages(connection, method, field, server);
  } catch (error) {
    if (error instanceof RpcError && error.code === rpcCodes.methodNotFound) return { items: [] };
    throw error;
  }
}

export async function loadListing(connection: Connection, server: string): Promise<Listing> {
  const { capabilities } = connection.server;
  const has = (name: string) => capabilities[name] !== undefined;
  const [tools, prompts, resources, resourceTemplates] = await Promise.all([
    listOrNone(connection, has('tools'), 'tools/list', 'tools', server),
    listOrNone(connection, has('prompts'), 'prompts/list', 'prompts', server),
    listOrNone(connection, has('resources'), 'resources/list', 'resources', server),
    listOrNone(connection, has('resources'), 'resources/templates/list', 'resourceTemplates', server),
  ]);
  const walked = { tools, prompts, resources, resourceTemplates };
  const caching: Partial<Record<ListKind, CacheHint>> = {};
  for (const kind of Object.keys(walked) as ListKind[]) {
    const { hint } = walked[kind];
    if (hint) caching[kind] = hint;
  }
  return {
    era: connection.era,
    server: connection.server,
    tools: tools.items,
    prompts: prompts.items,
    resources: resources.items,
    resourceTemplates: resourceTemplates.items,
    caching,
  };
}
