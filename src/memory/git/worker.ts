/** Entry of the Git worker thread. */

import { workerData } from 'node:worker_threads';
import { type PackedBatch, unpackBatch } from '../threads/packed-batch.ts';
import { lowerPriority } from '../threads/lower-priority.ts';
import { serveRequests } from '../threads/serve-requests.ts';
import { createFileCodec } from '../encryption/file-codec.ts';
import type { Keyring } from '../encryption/keyring.ts';
import type { SubjectKeyChange } from '../encryption/memory-keys.ts';
import type { EraseOutcome, EraseTarget } from '../erasure/erase-history.ts';
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
  readonly keyring: Keyring;
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
  erase(target: EraseTarget): Promise<EraseOutcome>;
  upkeep(): Promise<boolean>;
  setSubjectKey(change: SubjectKeyChange): void;
  close(): Promise<void>;
};

lowerPriority(5);
const { keyring, ...options } = workerData as GitWorkerOptions;
const codec = createFileCodec(keyring);
const writer = createGitWriter({ ...options, codec });

serveRequests<GitTasks>(
  {
    commit: (batch) => writer.commit(unpackBatch(batch)),
    take: ({ theirs, before, wish }) => writer.take(theirs, before, wish),
    commitTo: ({ batch, ...target }) => writer.commitTo({ ...target, records: unpackBatch(batch) }),
    erase: (target) => writer.erase(target),
    upkeep: () => writer.upkeep(),
    setSubjectKey: ({ kid, secret }) => codec.setSubjectKey(kid, secret),
    close: async () => writer[Symbol.asyncDispose](),
  },
  { path: options.repositoryDir, beside: ['upkeep'] },
);
