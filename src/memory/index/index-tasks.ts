/**
 * What the index thread does: puts durable writes into rows at once, makes their full text when there is
 * time, notes their commits, and reads from Git what others pushed.
 */

import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { FeedChange } from '../changes/change-table.ts';
import type { CommitOutcome } from '../git/git-writer.ts';
import { createObjectReader } from '../git/object-reader.ts';
import type { Git } from '../git/run-git.ts';
import { toStorageError } from '../journal/journal.ts';
import { type PackedBatch, unpackBatch } from '../threads/packed-batch.ts';
import { type WriteRecord, memoryId } from '../write-record.ts';
import type { MemoryIndex } from './memory-index.ts';
import { syncIndex } from './sync-index.ts';

/** What became of a look at Git. */
export interface SyncOutcome {
  readonly changes: readonly FeedChange[];
  /** The index was built anew, because main was rewritten: durable writes must be added again. */
  readonly isReset: boolean;
  /** The highest `Memory-Seq` of what was read from Git. */
  readonly maxSeq: number;
  /** The commit that the index stands for. */
  readonly head: string | null;
}

export interface IndexTasks {
  /** Puts writes into rows, in order, all or none; answers what the feed got. Throws DISK_FULL or STORAGE_FAILED. */
  add(batch: PackedBatch): FeedChange[];
  /** Notes the commits of writes that were added. */
  noteCommits(outcome: CommitOutcome): Promise<SyncOutcome>;
  /** Indexes what Git has up to a commit of main; null when there is none. */
  sync(to: string | null): Promise<SyncOutcome>;
  /** Builds everything that is in Git anew. */
  rebuild(to: string | null): Promise<SyncOutcome>;
  /** Leaves nothing of deleted rows in the file; no other program may read from it meanwhile. */
  compact(): Promise<void>;
  /** Makes the full text of some values; false when nothing is left to do. */
  writeText(): boolean;
  /** How many values have no full text yet. */
  backlog(): number;
  /** How many writes that were added are in no commit yet. */
  waitingForGit(): number;
  close(): Promise<void>;
}

type Head = Omit<WriteRecord, 'content'>;

/** One slice between two requests: some 5 ms, and hardly dearer a value than a slice of hundreds. */
const textSlice = 32;

/** The tasks on an open index. */
export function createIndexTasks(parts: {
  readonly git: Git;
  readonly index: MemoryIndex;
  readonly logger: Pick<Logger, 'warn'>;
}): IndexTasks {
  const { git, index, logger } = parts;
  const reader = createObjectReader(git);
  /** Writes that are in no commit yet, by sequence. */
  const pending = new Map<number, Head>();
  const pendingSeqs = new Map<string, number>();

  function applyAll(records: readonly WriteRecord[]): void {
    index.transaction(() => {
      for (const record of records) {
        applyRecord(index, record);
        if (!pending.has(record.seq)) index.changes.addUnlessThere(record);
      }
    });
  }

  function remember(record: WriteRecord): void {
    const head = { ...record, content: null };
    pending.set(head.seq, head);
    pendingSeqs.set(memoryId(head.scope, head.key), head.seq);
  }

  function forget(head: Head): void {
    pending.delete(head.seq);
    const id = memoryId(head.scope, head.key);
    if (pendingSeqs.get(id) === head.seq) pendingSeqs.delete(id);
  }

  async function catchUp(to: string | null): Promise<SyncOutcome> {
    const isReset = await resetIfRewritten(to);
    if (to === null) return { changes: [], isReset, maxSeq: 0, head: null };
    const isPending = (scope: string, key: string) => pendingSeqs.has(memoryId(scope, key));
    const maxSeq = await syncIndex({ git, reader, index, isPending }, to);
    return { changes: index.changes.takeAdded(), isReset, maxSeq, head: index.getMeta('head') };
  }

  /** Main can be moved back by hand; what the index knows is then no part of it. */
  async function resetIfRewritten(to: string | null): Promise<boolean> {
    const from = index.getMeta('head');
    if (from === null || from === to || (await isAncestor(git, from, to))) return false;
    logger.warn({ from, to }, 'main was rewritten; building the memory index anew');
    index.transaction(() => index.clear());
    return true;
  }

  function noteAll(outcome: CommitOutcome): void {
    index.transaction(() => {
      for (const { id, seqs } of outcome.commits) {
        for (const seq of seqs) addVersion(pending.get(seq), id);
      }
      index.setMeta('head', outcome.head);
      const commits = Number(index.getMeta('commits') ?? 0) + outcome.commits.length;
      index.setMeta('commits', String(commits));
    });
  }

  function addVersion(head: Head | undefined, commit: string): void {
    if (!head) throw new AppError('INTERNAL');
    const { scope, key, path, etag, atMs, actor, op, seq } = head;
    // A conflict resolved by keeping what is there is no new version.
    const isKept = op === 'resolve' && index.versions.last(scope, key)?.etag === etag;
    if (!isKept) index.versions.add({ scope, key, path, etag, commit, atMs, actor, op, seq });
  }

  function forgetLanded(landedSeq: number): void {
    for (const head of pending.values()) {
      if (head.seq > landedSeq) return;
      forget(head);
    }
  }

  return {
    add(batch) {
      const records = unpackBatch(batch);
      try {
        applyAll(records);
      } catch (error) {
        const isFull = (error as { errcode?: number }).errcode === 13;
        if (isFull) throw new AppError('DISK_FULL', { path: git.repositoryDir }, { cause: error });
        throw toStorageError(error, git.repositoryDir);
      }
      for (const record of records) remember(record);
      return index.changes.takeAdded();
    },
    async noteCommits(outcome) {
      let done: SyncOutcome = { changes: [], isReset: false, maxSeq: 0, head: outcome.base };
      const isKnown = outcome.commits.every(({ seqs }) => seqs.every((seq) => pending.has(seq)));
      if (isKnown && index.getMeta('head') !== outcome.base) done = await catchUp(outcome.base);
      // Whoever started anew does not know every write: Git tells.
      if (isKnown) noteAll(outcome);
      else done = await catchUp(outcome.head);
      forgetLanded(outcome.landedSeq);
      return { ...done, head: outcome.head };
    },
    sync: catchUp,
    async rebuild(to) {
      index.transaction(() => index.clear());
      return { ...(await catchUp(to)), isReset: true };
    },
    async compact() {
      await reader.rest();
      index.compact();
    },
    writeText() {
      let count = 0;
      index.transaction(() => {
        count = index.writeText(textSlice);
      });
      return count === textSlice;
    },
    backlog: () => index.unindexedCount,
    waitingForGit: () => pending.size,
    close: async () => reader[Symbol.asyncDispose](),
  };
}

/** Applies one acknowledged write to the current values. */
function applyRecord(index: MemoryIndex, record: WriteRecord): void {
  const { scope, key, path, etag, atMs, actor, seq, content } = record;
  if (etag === null || content === null) index.remove(scope, key);
  else index.put({ scope, key, path, etag, atMs, actor, seq, content });
}

/** False too when `from` is not in the repository any more. */
async function isAncestor(git: Git, from: string, to: string | null): Promise<boolean> {
  if (to === null) return false;
  return (await git.exitCode(['merge-base', '--is-ancestor', from, to]).catch(() => 1)) === 0;
}
