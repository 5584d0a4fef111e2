/** /api/v1/memory: the memory's operations, each with its own shapes. */

import type { MemoryCaller, MemoryClient } from '../../kernel/memory-operations.ts';
import type { RouteHandlers } from '../serve-routes.ts';

type MemoryRoutes = Pick<
  RouteHandlers,
  | 'memoryRetrieve'
  | 'memoryStore'
  | 'memoryDelete'
  | 'memoryList'
  | 'memorySearch'
  | 'memoryHistory'
  | 'memoryDiff'
  | 'memoryRestore'
  | 'memoryStoreMany'
  | 'memoryAppend'
  | 'memoryIncrement'
  | 'memorySnapshot'
  | 'memoryStats'
>;

function placeOf(path: Readonly<Record<string, string>>): { scope: string; key: string } {
  return { scope: path['scope'] ?? '', key: path['*'] ?? '' };
}

export function memoryRoutes(memory: MemoryClient, nextRequestId: () => string): MemoryRoutes {
  const caller = (): MemoryCaller => ({ actor: 'rest', agent: 'rest', requestId: nextRequestId() });
  return {
    memoryRetrieve: ({ path, query }) => memory.call('retrieve', { ...placeOf(path), ...query }, caller()),
    memoryStore: ({ path, body }) => memory.call('store', { ...placeOf(path), ...body }, caller()),
    memoryDelete: ({ path, query }) => memory.call('delete', { ...placeOf(path), ...query }, caller()),
    memoryList: ({ query }) => memory.call('list', query, caller()),
    memorySearch: ({ body }) => memory.call('search', body, caller()),
    memoryHistory: ({ body }) => memory.call('history', body, caller()),
    memoryDiff: ({ body }) => memory.call('diff', body, caller()),
    memoryRestore: ({ body }) => memory.call('restore', body, caller()),
    memoryStoreMany: ({ body }) => memory.call('store_many', body, caller()),
    memoryAppend: ({ body }) => memory.call('append', body, caller()),
    memoryIncrement: ({ body }) => memory.call('increment', body, caller()),
    memorySnapshot: ({ body }) => memory.call('snapshot', body, caller()),
    memoryStats: () => memory.call('stats', {}, caller()),
  };
}
