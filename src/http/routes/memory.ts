/** /api/v1/memory: the memory's operations, each with its own shapes. */

import { memoryPostRoutes, type memoryRoutes as routes } from '../../contract/rest/memory-routes.ts';
import type { MemoryCaller, MemoryClient } from '../../kernel/memory/operations.ts';
import type { RouteHandlers } from '../serve-routes.ts';

type PostRoutes = Pick<RouteHandlers, keyof typeof memoryPostRoutes>;

function placeOf(path: Readonly<Record<string, string>>): { scope: string; key: string } {
  return { scope: path['scope'] ?? '', key: path['*'] ?? '' };
}

export function memoryRoutes(
  memory: MemoryClient,
  nextRequestId: () => string,
): Pick<RouteHandlers, keyof typeof routes> {
  const caller = (): MemoryCaller => ({ actor: 'rest', agent: 'rest', requestId: nextRequestId() });
  const posts = Object.entries(memoryPostRoutes).map(([name, { operation }]) => [
    name,
    ({ body }: { body: never }) => memory.call(operation, body, caller()),
  ]);
  return {
    memoryRetrieve: ({ path, query }) => memory.call('retrieve', { ...placeOf(path), ...query }, caller()),
    memoryStore: ({ path, body }) => memory.call('store', { ...placeOf(path), ...body }, caller()),
    memoryDelete: ({ path, query }) => memory.call('delete', { ...placeOf(path), ...query }, caller()),
    memoryList: ({ query }) => memory.call('list', query, caller()),
    memoryStats: () => memory.call('stats', {}, caller()),
    memoryChanges: ({ query }) => memory.call('changes', query, caller()),
    ...(Object.fromEntries(posts) as PostRoutes),
  };
}
