/** Entry of the search thread: searches the index file, or a former state, beside the thread that writes. */

import { workerData } from 'node:worker_threads';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import { type EmbeddingOptions, createProvider } from '../embeddings/provider.ts';
import { createSemanticSearch } from '../embeddings/semantic-search.ts';
import { createObjectReader } from '../git/object-reader.ts';
import { createGit } from '../git/run-git.ts';
import { openIndexReader } from '../index/memory-index.ts';
import { createThreadLogger } from '../threads/thread-logger.ts';
import { serveRequests } from '../threads/serve-requests.ts';
import { createVersionReader } from '../versions/read-version.ts';
import { type SearchInput, searchMemories } from './search-memories.ts';

export interface SearchWorkerOptions {
  readonly indexPath: string;
  readonly repositoryDir: string;
  readonly embeddings?: EmbeddingOptions | undefined;
}

/** What the thread does. */
export type SearchTasks = {
  search(input: SearchInput): Promise<MemoryOutput<'search'>>;
  close(): Promise<void>;
};

const { indexPath, repositoryDir, embeddings } = workerData as SearchWorkerOptions;
const git = createGit(repositoryDir);
const reader = createObjectReader(git);
const index = openIndexReader(indexPath);
const versions = createVersionReader(index, reader);
const stop = new AbortController();
const semantic =
  embeddings &&
  createSemanticSearch({
    index,
    provider: createProvider(embeddings),
    logger: createThreadLogger(),
    signal: stop.signal,
  });

serveRequests<SearchTasks>(
  {
    search: (input) => searchMemories({ git, reader, index, versions, semantic }, input),
    async close() {
      stop.abort();
      await reader[Symbol.asyncDispose]();
      index[Symbol.dispose]();
    },
  },
  { path: indexPath },
);
