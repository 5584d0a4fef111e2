/** Entry of the index thread, the one writer of the index file. */

import { workerData } from 'node:worker_threads';
import { systemClock } from '../../kernel/clock.ts';
import { settingsOf } from '../../kernel/memory/scope-settings.ts';
import { createEmbedder } from '../embeddings/embedder.ts';
import { type EmbeddingOptions, createProvider } from '../embeddings/provider.ts';
import { createGit } from '../git/run-git.ts';
import { lowerPriority } from '../threads/lower-priority.ts';
import { serveRequests } from '../threads/serve-requests.ts';
import { createThreadLogger } from '../threads/thread-logger.ts';
import { type IndexTasks, createIndexTasks } from './index-tasks.ts';
import { openMemoryIndex } from './memory-index.ts';

export interface IndexWorkerOptions {
  readonly indexPath: string;
  readonly repositoryDir: string;
  /** Search by meaning; nothing is sent anywhere without it. */
  readonly embeddings?: EmbeddingOptions | undefined;
}

/** What the thread does: `open` first. */
export type IndexThreadTasks = IndexTasks & {
  /** Opens or makes the file; answers when others can read it. */
  open(): void;
};

const { indexPath, repositoryDir, embeddings } = workerData as IndexWorkerOptions;
lowerPriority(10);
const logger = createThreadLogger();
const index = openMemoryIndex(indexPath, logger);
const tasks = createIndexTasks({ git: createGit(repositoryDir), index, logger });

const embedder =
  embeddings &&
  createEmbedder({
    index,
    provider: createProvider(embeddings),
    batchSize: embeddings.batchSize,
    isSent: (scope) => settingsOf(embeddings.scopes, scope)?.embeddings !== false,
    clock: systemClock,
    logger,
  });

/** While so many writes wait for Git, full text leaves the processor to them most of the time. */
const busyWrites = 2000;
const busyPauseMs = 10;

let scheduled: NodeJS.Immediate | NodeJS.Timeout | undefined;

/** Full text is made while nobody asks for anything, a slice at a time. */
function workOn(): void {
  scheduled = undefined;
  if (!queue.isIdle || isClosed) return;
  try {
    if (tasks.writeText()) schedule();
  } catch (error) {
    logger.warn({ err: error }, 'full text could not be written; it will be tried again');
  }
}

function schedule(): void {
  const isBusy = tasks.waitingForGit() > busyWrites;
  scheduled ??= isBusy ? setTimeout(workOn, busyPauseMs) : setImmediate(workOn);
}

let isClosed = false;
const queue = serveRequests<IndexThreadTasks>(
  {
    ...tasks,
    open: () => {},
    async close() {
      isClosed = true;
      await embedder?.[Symbol.asyncDispose]();
      await tasks.close();
      index[Symbol.dispose]();
    },
  },
  { path: indexPath, onIdle: schedule },
);
