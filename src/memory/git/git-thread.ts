/** The Git writer as seen from the coordinator's thread: the same calls, done in a worker. */

import type { Logger } from '../../kernel/log.ts';
import { packBatch } from '../threads/packed-batch.ts';
import { createRequestThread } from '../threads/request-thread.ts';
import type { MemoryKeys } from '../encryption/memory-keys.ts';
import type { GitWriter } from './git-writer.ts';
import type { GitTasks, GitWorkerOptions } from './worker.ts';

/** Starts the thread with the first request, and again after it died; requests then in it are rejected. */
export function createGitThread(
  options: Omit<GitWorkerOptions, 'keyring'> & { readonly keys: MemoryKeys; readonly logger: Logger },
): GitWriter {
  const { keys, logger, ...rest } = options;
  const workerData = () => ({ ...rest, keyring: keys.current() });
  const entry = new URL('./worker', import.meta.url);
  const thread = createRequestThread<GitTasks>({ name: 'commit', entry, workerData, logger });
  keys.onChange((change) => thread.tell('setSubjectKey', change));
  return {
    async commit(records) {
      const batch = packBatch(records);
      return thread.ask('commit', batch, [batch.contents.buffer]);
    },
    take: (theirs, before, wish) => thread.ask('take', { theirs, before, wish }),
    async commitTo({ records, ...target }) {
      const batch = packBatch(records);
      return thread.ask('commitTo', { ...target, batch }, [batch.contents.buffer]);
    },
    erase: (target) => thread.ask('erase', target),
    upkeep: () => thread.ask('upkeep', undefined),
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}
