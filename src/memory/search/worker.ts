/** Entry of the search thread: searches the index file, or a former state, beside the thread that writes. */

import { workerData } from 'node:worker_threads';
import type { MemoryOutput } from '../../kernel/memory/operations.ts';
import { type EmbeddingOptions, createProvider } from '../embeddings/provider.ts';
import { createSemanticSearch } from '../embeddings/semantic-search.ts';
import { createObjectReader } from '../git/object-reader.ts';
import { createGit } from '../git/run-git.ts';
import { createFileCodec } from '../encryption/file-codec.ts';
import type { Keyring } from '../encryption/keyring.ts';
import type { SubjectKeyChange } from '../encryption/memory-keys.ts';
import { openIndexReader } from '../index/index-reader.ts';
import { createThreadLogger } from '../threads/thread-logger.ts';
import { serveRequests } from '../threads/serve-requests.ts';
import { createVersionReader } from '../versions/read-version.ts';
import { createSealedSearch } from './sealed-search.ts';
import { type SearchInput, searchMemories } from './search-memories.ts';

export interface SearchWorkerOptions {
  readonly indexPath: string;
  readonly repositoryDir: string;
  readonly keyring: Keyring;
  readonly embeddings?: EmbeddingOptions | undefined;
}

/** What the thread does. */
export type SearchTasks = {
  search(input: SearchInput): Promise<MemoryOutput<'search'>>;
  /** Opens what is sealed, so that the first search need not. */
  openSealed(): void;
  setSubjectKey(change: SubjectKeyChange): void;
  close(): Promise<void>;
};

const { indexPath, repositoryDir, keyring, embeddings } = workerData as SearchWorkerOptions;
const codec = createFileCodec(keyring);
const git = createGit(repositoryDir);
const reader = createObjectReader(git);
const index = openIndexReader(indexPath, codec, { perTurn: true });
const sealed = createSealedSearch(index, codec);
const versions = createVersionReader(index, reader, codec);
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
    search(input) {
      // Another search may have begun this turn, before what this one is to find was written.
      index.refresh();
      return searchMemories(
        { git, reader, index, versions, codec, sealed: () => sealed.current(), semantic },
        input,
      );
    },
    openSealed() {
      sealed.current();
    },
    setSubjectKey({ kid, secret }) {
      codec.setSubjectKey(kid, secret);
      if (secret === null) sealed.forgetAll();
    },
    async close() {
      stop.abort();
      await reader[Symbol.asyncDispose]();
      sealed[Symbol.dispose]();
      index[Symbol.dispose]();
    },
  },
  { path: indexPath },
);
