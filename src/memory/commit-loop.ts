/**
 * Carries acknowledged writes into Git in the background and the index along with it, and takes in what
 * others pushed. One thing at a time: a commit, a look at main, upkeep.
 */

import type { Clock } from '../kernel/clock.ts';
import { AppError, toAppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { isOldEpoch } from './erasure/epoch.ts';
import { createCallGate } from './call-gate.ts';
import type { CommitOutcome, GitWriter, TakeOutcome, TakeWish } from './git/git-writer.ts';
import { readMain } from './git/move-ref.ts';
import type { Git } from './git/run-git.ts';
import type { SyncOutcome } from './index/index-tasks.ts';
import type { LiveIndex } from './index/live-index.ts';
import type { WriteRecord } from './write-record.ts';

export interface CommitLoop extends AsyncDisposable {
  /** Takes durable writes, in order; a commit follows within the flush interval. */
  add(records: readonly WriteRecord[]): void;
  /** Commits all that was added; throws what Git or the disk failed with, and the writes stay queued. */
  flush(): Promise<void>;
  /** Indexes commits that others pushed. */
  poll(): Promise<void>;
  /**
   * Brings a commit that is in the repository into main, after what waits is committed, and indexes it.
   * `before` is what the other side had when it was last seen. Throws what Git or the disk failed with.
   */
  take(theirs: string, before?: string, wish?: TakeWish): Promise<TakeOutcome>;
  /** Writes of one memory that are not in Git, oldest first. */
  pendingOf(scope: string, key: string): WriteRecord[];
  /** Runs `work` while no commit and no look at main is under way. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** From when it resolves until the answer is disposed, packs are not folded: someone reads them for long. */
  holdUpkeep(): Promise<Disposable>;
  /**
   * Makes the index anew from Git and what waits for it. Until it resolves the index is not whole: the caller
   * keeps readers and writers away.
   */
  reindex(): Promise<void>;
  /**
   * Runs work that takes history away, when everything is in Git and nobody reads packs for long, and makes the
   * index anew after it. The caller keeps readers and writers away until it resolves.
   */
  rewriteHistory<T>(work: () => Promise<T>): Promise<T>;
  /** Writes that are not in Git, oldest first. */
  readonly pending: readonly WriteRecord[];
  readonly pendingCount: number;
  /** Bytes of values that wait for Git. */
  readonly pendingBytes: number;
}

export interface CommitLoopOptions {
  readonly git: Git;
  readonly index: LiveIndex;
  readonly writer: GitWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly flushIntervalMs: number;
  readonly pollIntervalMs: number;
  /** Writes up to `seq` are in Git. */
  readonly onLanded: (seq: number) => Promise<void>;
  /** The highest `Memory-Seq` of commits that others brought. */
  readonly onSeen: (seq: number) => void;
}

const maxBatchWrites = 4000;
const maxBatchBytes = 64 * 1024 * 1024;
const upkeepEvery = 16;
const maxRetryMs = 30_000;

/** Starts polling; `add` starts committing. */
export function createCommitLoop(options: CommitLoopOptions): CommitLoop {
  const { git, index, writer, clock, logger, flushIntervalMs } = options;
  const backlog: WriteRecord[] = [];
  let pendingBytes = 0;
  let indexedHead = index.rows.getMeta('head');
  let failures = 0;
  let drains = 0;
  const packReaders = createCallGate();
  let closed = false;
  let upkeepRun: Promise<void> | undefined;
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
    // The index notes one batch while Git takes the next.
    let noting = Promise.resolve();
    while ((backlog[0]?.seq ?? Infinity) <= target) {
      const batch = takeBatch();
      let outcome: CommitOutcome;
      try {
        outcome = await writer.commit(batch);
      } catch (error) {
        failures += 1;
        await noting;
        throw error;
      }
      failures = 0;
      forget(batch);
      noting = noting.then(() => integrate(outcome));
      await options.onLanded(outcome.landedSeq);
      drains += 1;
      if (drains % upkeepEvery === 1 && !packReaders.isBusy) upkeepRun ??= upkeep();
    }
    await noting;
    if (backlog.length > 0) schedule(flushIntervalMs);
  }

  async function upkeep(): Promise<void> {
    try {
      if (await writer.upkeep()) logger.debug({}, 'folded the packs of the memory');
    } catch (error) {
      logger.warn({ err: error }, 'upkeep of the memory failed');
    } finally {
      upkeepRun = undefined;
    }
  }

  function forget(batch: readonly WriteRecord[]): void {
    backlog.splice(0, batch.length);
    for (const record of batch) {
      pendingBytes -= record.content?.length ?? 0;
    }
  }

  /** Puts the new commits into the index; when it is not at their base, that is read from Git before. */
  async function integrate(outcome: CommitOutcome): Promise<void> {
    try {
      absorb(await index.noteCommits(outcome));
    } catch (error) {
      // The writes are in Git; the next look at main reads them from there.
      logger.error({ err: error }, 'the memory index is behind Git');
    }
  }

  function absorb(outcome: SyncOutcome): void {
    indexedHead = outcome.head;
    if (outcome.maxSeq > 0 || outcome.changes.length > 0) options.onSeen(outcome.maxSeq);
    if (outcome.isReset) index.add(backlog);
  }

  async function poll(): Promise<void> {
    const main = readMain(git.repositoryDir);
    if (main !== indexedHead) absorb(await index.sync(main));
  }

  async function reindex(): Promise<void> {
    absorb(await index.rebuild(readMain(git.repositoryDir)));
    await index.caughtUp();
  }

  /** The readers of packs are waited for before our turn: they may need one themselves. */
  function rewriteHistory<T>(work: () => Promise<T>): Promise<T> {
    return packReaders.alone(() =>
      inTurn(async () => {
        await upkeepRun;
        await drain();
        const before = readMain(git.repositoryDir);
        const result = await work();
        if (readMain(git.repositoryDir) === before) return result;
        await reindex();
        await index.compact();
        return result;
      }),
    );
  }

  async function take(theirs: string, before?: string, wish?: TakeWish): Promise<TakeOutcome> {
    await drain();
    if (await isOldEpoch(git, theirs)) {
      const fix = 'make a new clone of this memory, and put your changes there';
      throw new AppError('MEMORY_FORGOTTEN', { commit: theirs.slice(0, 12), fix });
    }
    const outcome = await writer.take(theirs, before, wish);
    await poll();
    return outcome;
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
    alone: inTurn,
    async holdUpkeep() {
      const held = await packReaders.enter();
      await upkeepRun;
      return held;
    },
    reindex: () => inTurn(reindex),
    rewriteHistory,
    async take(theirs, before, wish) {
      try {
        return await inTurn(() => take(theirs, before, wish));
      } finally {
        if (backlog.length > 0) schedule(flushIntervalMs);
      }
    },
    pendingOf: (scope, key) => backlog.filter((record) => record.key === key && record.scope === scope),
    pending: backlog,
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
      await upkeepRun;
    },
  };
}
