/** Entry of the Git worker thread. */

import { workerData } from 'node:worker_threads';
import { type PackedBatch, unpackBatch } from '../threads/packed-batch.ts';
import { lowerPriority } from '../threads/lower-priority.ts';
import { serveRequests } from '../threads/serve-requests.ts';
import type { MergeSettings } from '../merge/merge-strategy.ts';
import {
  type CommitOutcome,
  type RefWrites,
  type TakeOutcome,
  type TakeWish,
  createGitWriter,
} from './git-writer.ts';

export interface GitWorkerOptions {
  readonly repositoryDir: string;
  readonly journalDir: string;
  readonly maxWritesPerCommit: number;
  /** Packs are folded once there are so many; 64 unless given. */
  readonly maxPacks?: number | undefined;
  /** How scopes are merged, by pattern. */
  readonly scopes: MergeSettings;
}

/** What the thread does. */
export type GitTasks = {
  commit(batch: PackedBatch): Promise<CommitOutcome>;
  take(input: {
    readonly theirs: string;
    readonly before: string | undefined;
    readonly wish: TakeWish | undefined;
  }): Promise<TakeOutcome>;
  commitTo(input: Omit<RefWrites, 'records'> & { readonly batch: PackedBatch }): Promise<string | null>;
  upkeep(): Promise<boolean>;
  close(): Promise<void>;
};

lowerPriority(5);
const options = workerData as GitWorkerOptions;
const writer = createGitWriter(options);

serveRequests<GitTasks>(
  {
    commit: (batch) => writer.commit(unpackBatch(batch)),
    take: ({ theirs, before, wish }) => writer.take(theirs, before, wish),
    commitTo: ({ batch, ...target }) => writer.commitTo({ ...target, records: unpackBatch(batch) }),
    upkeep: () => writer.upkeep(),
    close: async () => writer[Symbol.asyncDispose](),
  },
  { path: options.repositoryDir, beside: ['upkeep'] },
);
