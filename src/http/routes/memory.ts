/** /api/v1/memory: the memory's operations, each with its own shapes. */

import { memoryPostRoutes, type memoryRoutes as routes } from '../../contract/rest/memory-routes.ts';
import type { Authorizer } from '../../kernel/authorizer.ts';
import type { MemoryCaller, MemoryClient } from '../../kernel/memory/operations.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { RouteHandlers } from '../serve-routes.ts';

type PostRoutes = Pick<RouteHandlers, keyof typeof memoryPostRoutes>;

/** Of each request. */
interface Asker {
  readonly principal: Principal;
  readonly remoteAddress?: string | undefined;
}

function placeOf(path: Readonly<Record<string, string>>): { scope: string; key: string } {
  return { scope: path['scope'] ?? '', key: path['*'] ?? '' };
}

export function memoryRoutes(
  whole: MemoryClient,
  authorizer: Pick<Authorizer, 'memoryFor'>,
  nextRequestId: () => string,
): Pick<RouteHandlers, keyof typeof routes> {
  const caller = (): MemoryCaller => ({ actor: 'rest', agent: 'rest', requestId: nextRequestId() });
  const of = ({ principal, remoteAddress }: Asker) => authorizer.memoryFor(principal, whole, remoteAddress);
  const posts = Object.entries(memoryPostRoutes).map(([name, { operation }]) => [
    name,
    (asked: Asker & { body: never }) => of(asked).call(operation, asked.body, caller()),
  ]);
  return {
    memoryRetrieve: ({ path, query, ...asker }) =>
      of(asker).call('retrieve', { ...placeOf(path), ...query }, caller()),
    memoryStore: ({ path, body, ...asker }) =>
      of(asker).call('store', { ...placeOf(path), ...body }, caller()),
    memoryDelete: ({ path, query, ...asker }) =>
      of(asker).call('delete', { ...placeOf(path), ...query }, caller()),
    memoryList: ({ query, ...asker }) => of(asker).call('list', query, caller()),
    memoryStats: (asker) => of(asker).call('stats', {}, caller()),
    memoryChanges: ({ query, ...asker }) => of(asker).call('changes', query, caller()),
    ...(Object.fromEntries(posts) as PostRoutes),
  };
}
