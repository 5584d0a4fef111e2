/**
 * Carries acknowledged writes into Git in the background and the index along with it, and takes in what
 * others pushed. One thing at a time: a commit, a look at main, upkeep.
 */

import type { Clock } from '../kernel/clock.ts';
import { AppError, toAppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import type { CommitOutcome, GitWriter } from './git/git-writer.ts';
import { readMain } from './git/move-ref.ts';
import type { ObjectReader } from './git/object-reader.ts';
import type { Git } from './git/run-git.ts';
import type { MemoryIndex } from './index/memory-index.ts';
import { type SyncedChange, syncIndex } from './index/sync-index.ts';
import { type WriteRecord, memoryId } from './write-record.ts';

export interface CommitLoop extends AsyncDisposable {
  /** Takes durable writes, in order; a commit follows within the flush interval. */
  add(records: readonly WriteRecord[]): void;
  /** Commits all that was added; throws what Git or the disk failed with, and the writes stay queued. */
  flush(): Promise<void>;
  /** Indexes commits that others pushed. */
  poll(): Promise<void>;
  /** Writes of one memory that are not in Git, oldest first. */
  pendingOf(scope: string, key: string): WriteRecord[];
  readonly pendingCount: number;
  /** Bytes of values that wait for Git. */
  readonly pendingBytes: number;
}

export interface CommitLoopOptions {
  readonly git: Git;
  readonly reader: ObjectReader;
  readonly index: MemoryIndex;
  readonly writer: GitWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly flushIntervalMs: number;
  readonly pollIntervalMs: number;
  /** Writes up to `seq` are in Git. */
  readonly onLanded: (seq: number) => Promise<void>;
  /** Values that others changed. */
  readonly onSynced: (changes: readonly SyncedChange[]) => void;
}

const maxBatchWrites = 4000;
const maxBatchBytes = 64 * 1024 * 1024;
const upkeepEvery = 16;
const maxRetryMs = 30_000;

/** Applies one acknowledged write to the current values. */
export function applyRecord(index: MemoryIndex, record: WriteRecord): void {
  const { scope, key, path, etag, atMs, actor, seq, content } = record;
  if (etag === null || content === null) index.remove(scope, key);
  else index.put({ scope, key, path, etag, atMs, actor, seq, content, commit: null });
}

/** Starts polling; `add` starts committing. */
export function createCommitLoop(options: CommitLoopOptions): CommitLoop {
  const { git, reader, index, writer, clock, logger, flushIntervalMs } = options;
  const backlog: WriteRecord[] = [];
  const pending = new Map<string, number>();
  let pendingBytes = 0;
  let failures = 0;
  let drains = 0;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();
  let cancelDrain: (() => void) | undefined;
  let cancelPoll: (() => void) | undefined;

  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = last.then(task);
    last = result.catch(() => {});
    return result;
  }

  function schedule(delayMs: number): void {
    if (closed) return;
    cancelDrain ??= clock.after(delayMs, () => {
      cancelDrain = undefined;
      inTurn(drain).catch((error: unknown) => {
        const retryMs = Math.min(maxRetryMs, flushIntervalMs * 2 ** Math.min(failures, 10));
        logger.warn({ err: error, retryMs, waiting: backlog.length }, 'memory writes could not be committed');
        schedule(retryMs);
      });
    });
  }

  function takeBatch(): WriteRecord[] {
    let bytes = 0;
    let count = 0;
    while (count < backlog.length && count < maxBatchWrites && bytes < maxBatchBytes) {
      bytes += backlog[count]?.content?.length ?? 0;
      count += 1;
    }
    const batchEnd = backlog[count - 1]?.batchEnd ?? 0;
    while ((backlog[count]?.seq ?? Infinity) <= batchEnd) count += 1;
    return backlog.slice(0, count);
  }

  /** Commits what waits now; under steady load more comes meanwhile, and has its own turn. */
  async function drain(): Promise<void> {
    const target = backlog.at(-1)?.seq ?? 0;
    while ((backlog[0]?.seq ?? Infinity) <= target) {
      const batch = takeBatch();
      let outcome: CommitOutcome;
      try {
        outcome = await writer.commit(batch);
      } catch (error) {
        failures += 1;
        throw error;
      }
      failures = 0;
      forget(batch);
      await integrate(batch, outcome);
      await options.onLanded(outcome.landedSeq);
      drains += 1;
      if (drains % upkeepEvery === 1) await upkeep();
    }
    if (backlog.length > 0) schedule(flushIntervalMs);
  }

  async function upkeep(): Promise<void> {
    try {
      if (await writer.upkeep()) logger.debug({}, 'folded the packs of the memory');
    } catch (error) {
      logger.warn({ err: error }, 'upkeep of the memory failed');
    }
  }

  function forget(batch: readonly WriteRecord[]): void {
    backlog.splice(0, batch.length);
    for (const record of batch) {
      pendingBytes -= record.content?.length ?? 0;
      const id = memoryId(record.scope, record.key);
      if (pending.get(id) === record.seq) pending.delete(id);
    }
  }

  /** Puts the new commits into the index; when it is not at their base, by reading them from Git. */
  async function integrate(batch: readonly WriteRecord[], outcome: CommitOutcome): Promise<void> {
    const { base, head } = outcome;
    try {
      if (index.getMeta('head') !== base) await catchUp(base);
      const bySeq = new Map(batch.map((record) => [record.seq, record]));
      index.transaction(() => {
        for (const commit of outcome.commits) {
          for (const seq of commit.seqs) noteCommit(index, bySeq.get(seq), commit.id);
        }
        index.setMeta('head', head);
        index.setMeta('commits', String(Number(index.getMeta('commits') ?? 0) + outcome.commits.length));
      });
    } catch (error) {
      // The writes are in Git; the next look at main reads them from there.
      logger.error({ err: error }, 'the memory index is behind Git');
    }
  }

  async function catchUp(to: string | null): Promise<void> {
    const isPending = (scope: string, key: string) => pending.has(memoryId(scope, key));
    await resetIfRewritten(to);
    if (to !== null) options.onSynced(await syncIndex({ git, reader, index, isPending }, to));
  }

  /** Main can be moved back by hand; what the index knows is then no part of it. */
  async function resetIfRewritten(to: string | null): Promise<void> {
    const from = index.getMeta('head');
    if (from === null || from === to || (await isAncestor(git, from, to))) return;
    logger.warn({ from, to }, 'main was rewritten; building the memory index anew');
    index.transaction(() => {
      index.clear();
      for (const record of backlog) applyRecord(index, record);
    });
  }

  async function poll(): Promise<void> {
    const main = readMain(git.repositoryDir);
    if (main !== index.getMeta('head')) await catchUp(main);
  }

  function schedulePoll(delayMs: number): void {
    if (closed) return;
    cancelPoll = clock.after(delayMs, () => {
      inTurn(poll).then(
        () => schedulePoll(options.pollIntervalMs),
        (error: unknown) => {
          logger.warn({ err: error }, 'pushed memories could not be indexed');
          schedulePoll(maxRetryMs);
        },
      );
    });
  }

  schedulePoll(options.pollIntervalMs);

  return {
    add(records) {
      for (const record of records) {
        backlog.push(record);
        pending.set(memoryId(record.scope, record.key), record.seq);
        pendingBytes += record.content?.length ?? 0;
      }
      if (backlog.length > 0) schedule(flushIntervalMs);
    },
    async flush() {
      try {
        await inTurn(drain);
      } catch (error) {
        schedule(flushIntervalMs);
        throw toAppError(error);
      }
    },
    poll: () => inTurn(poll),
    pendingOf: (scope, key) => backlog.filter((record) => record.key === key && record.scope === scope),
    get pendingCount() {
      return backlog.length;
    },
    get pendingBytes() {
      return pendingBytes;
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      cancelDrain?.();
      cancelPoll?.();
      await last;
    },
  };
}

/** False too when `from` is not in the repository any more. */
async function isAncestor(git: Git, from: string, to: string | null): Promise<boolean> {
  if (to === null) return false;
  return (await git.exitCode(['merge-base', '--is-ancestor', from, to]).catch(() => 1)) === 0;
}

function noteCommit(index: MemoryIndex, record: WriteRecord | undefined, commit: string): void {
  if (!record) throw new AppError('INTERNAL');
  const { scope, key, path, etag, atMs, actor, op, seq } = record;
  index.versions.add({ scope, key, path, etag, commit, atMs, actor, op, seq });
  index.setCommit(scope, key, seq, commit);
}
