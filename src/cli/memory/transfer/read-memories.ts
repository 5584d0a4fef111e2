/** Streams memories out of a coordinator. */

import type { RestClient } from '../../rest-client.ts';
import { ProblemError } from '../../print-error.ts';
import type { StoredMemory } from '../formats/memory-entry.ts';
import { mapInOrder } from './map-in-order.ts';

/** Which memories are meant. */
export interface MemoryFilter {
  readonly scope: string;
  readonly prefix?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

const pageSize = 500;
/** Requests at a time: writers share one sync of the journal, and each may hold a value of 8 MiB here. */
export const requestsAtATime = 32;

async function* readKeys(client: RestClient, { scope, prefix, tags }: MemoryFilter): AsyncGenerator<string> {
  let cursor: string | undefined;
  do {
    const query = { scope, prefix, cursor, limit: pageSize, ...(tags && { tags: [...tags] }) };
    const page = await client.call('memoryList', { query });
    for (const { key } of page.items) yield key;
    cursor = page.nextCursor === cursor ? undefined : page.nextCursor;
  } while (cursor !== undefined);
}

/** The memory of a key, or undefined if there is none. */
export async function readMemory(
  client: RestClient,
  scope: string,
  key: string,
): Promise<StoredMemory | undefined> {
  try {
    return await client.call('memoryRetrieve', { path: { scope, key } });
  } catch (error) {
    if (error instanceof ProblemError && error.problem.code === 'MEMORY_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Memories in key order, each as it is when its turn comes; what is deleted meanwhile is left out. */
export async function* readMemories(client: RestClient, filter: MemoryFilter): AsyncGenerator<StoredMemory> {
  const keys = readKeys(client, filter);
  for await (const memory of mapInOrder(keys, requestsAtATime, (key) =>
    readMemory(client, filter.scope, key),
  )) {
    if (memory) yield memory;
  }
}
