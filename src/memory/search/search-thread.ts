/** Search as seen from the coordinator's thread: done in a worker, so that a long one keeps nobody waiting. */

import type { Logger } from '../../kernel/log.ts';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import { createRequestThread } from '../threads/request-thread.ts';
import type { SearchInput } from './search-memories.ts';
import type { MemoryKeys } from '../encryption/memory-keys.ts';
import type { SearchTasks, SearchWorkerOptions } from './worker.ts';

export interface Searcher extends AsyncDisposable {
  /** Searches the rows as they are; what they must hold is there before. */
  search(input: SearchInput): Promise<MemoryOutput<'search'>>;
  /** Opens what is sealed ahead of the first search. */
  openSealed(): Promise<void>;
}

/** Starts the thread with the first search. */
export function createSearchThread(
  options: Omit<SearchWorkerOptions, 'keyring'> & { readonly keys: MemoryKeys; readonly logger: Logger },
): Searcher {
  const { keys, logger, ...rest } = options;
  const workerData = () => ({ ...rest, keyring: keys.current() });
  const entry = new URL('./worker', import.meta.url);
  const thread = createRequestThread<SearchTasks>({ name: 'search', entry, workerData, logger });
  keys.onChange((change) => thread.tell('setSubjectKey', change));
  return {
    openSealed: () => thread.ask('openSealed', undefined),
    search: (input) => thread.ask('search', input),
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}
