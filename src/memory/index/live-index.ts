/**
 * The index as the coordinator's thread sees it: reads rows by itself, leaves writing to the index thread, and
 * keeps what that thread has not confirmed, so that a reader sees a durable write at once.
 */

import type { AppError } from '../../kernel/errors.ts';
import { createEmitter } from '../../kernel/events.ts';
import type { Logger } from '../../kernel/log.ts';
import type { FeedChange } from '../changes/change-table.ts';
import type { FileCodec } from '../encryption/file-codec.ts';
import type { CommitOutcome } from '../git/git-writer.ts';
import { packBatch } from '../threads/packed-batch.ts';
import { createRequestThread } from '../threads/request-thread.ts';
import { type WriteRecord, memoryId } from '../write-record.ts';
import type { SyncOutcome } from './index-tasks.ts';
import type { Entry } from './entry.ts';
import { type IndexReader, openIndexReader } from './index-reader.ts';
import type { IndexThreadTasks, IndexWorkerOptions } from './worker.ts';

export interface LiveIndex extends AsyncDisposable {
  /** The newest durable value. */
  get(scope: string, key: string): Entry | undefined;
  /** Takes durable writes, in order: from now on readers see them. */
  add(records: readonly WriteRecord[]): void;
  /** Resolves when everything that was added is in the rows. Throws DISK_FULL, STORAGE_FAILED. */
  caughtUp(): Promise<void>;
  /** Notes the commits of writes that were added. */
  noteCommits(outcome: CommitOutcome): Promise<SyncOutcome>;
  /** Indexes what Git has up to a commit of main. */
  sync(to: string | null): Promise<SyncOutcome>;
  /** Builds the index anew from Git; the caller adds what is not in Git. */
  rebuild(to: string | null): Promise<SyncOutcome>;
  /** Leaves nothing of deleted rows in the index file. */
  compact(): Promise<void>;
  /** Hears of every change, ours and what came through Git, in the feed's order, once readers see it. */
  onChange(listener: (change: FeedChange) => void): () => void;
  /** The rows without what is not confirmed: for lists, sizes, versions, after `caughtUp`. */
  readonly rows: IndexReader;
  /** Durable writes that are not in the rows yet. */
  readonly unconfirmedCount: number;
  /** Values whose full text is still to be made. */
  readonly textBacklog: number;
}

/** A write that the thread has not confirmed; its entry is made when somebody asks. */
interface Unconfirmed {
  readonly record: WriteRecord;
  entry?: Entry | undefined;
}

/** Someone who waits until so many writes are in the rows. */
interface Barrier {
  writes: number;
  resolve(): void;
  reject(error: AppError): void;
}

const maxBatchWrites = 1000;

/** Starts the thread and opens the rows. Throws STORAGE_FAILED. */
export async function openLiveIndex(
  options: IndexWorkerOptions & {
    readonly codec: FileCodec;
    readonly logger: Logger;
    /** Every durable write that is not in Git, for a thread that starts anew. */
    readonly pending: () => readonly WriteRecord[];
  },
): Promise<LiveIndex> {
  const { codec, logger, pending, ...workerData } = options;
  const unconfirmed = new Map<string, Unconfirmed>();
  let waiting: WriteRecord[] = [];
  const listeners = createEmitter<FeedChange>((error) =>
    logger.error({ err: error }, 'a change listener failed'),
  );
  let sending: Promise<void> | undefined;
  const barriers: Barrier[] = [];
  const thread = createRequestThread<IndexThreadTasks>({
    name: 'index',
    entry: new URL('./worker', import.meta.url),
    workerData: () => workerData,
    logger,
    onDied() {
      waiting = [...pending()];
      sending ??= sendAll();
    },
  });
  await thread.ask('open', undefined);
  const rows = openIndexReader(options.indexPath, codec, { perTurn: true });

  async function sendAll(): Promise<void> {
    // One turn of the event loop lets a group grow.
    await Promise.resolve();
    while (waiting.length > 0) {
      const records = waiting.slice(0, maxBatchWrites);
      const batch = packBatch(records);
      let changes: FeedChange[];
      try {
        changes = await thread.ask('add', batch, [batch.contents.buffer]);
      } catch (error) {
        logger.warn({ err: error, waiting: waiting.length }, 'the memory index does not take writes');
        for (const barrier of barriers.splice(0)) barrier.reject(error as AppError);
        break;
      }
      confirm(records);
      for (const change of changes) listeners.emit(change);
    }
    sending = undefined;
  }

  function confirm(records: readonly WriteRecord[]): void {
    rows.refresh();
    waiting.splice(0, records.length);
    for (const record of records) {
      const id = memoryId(record.scope, record.key);
      if (unconfirmed.get(id)?.record === record) unconfirmed.delete(id);
    }
    for (const barrier of barriers) barrier.writes -= records.length;
    while ((barriers[0]?.writes ?? 1) <= 0) barriers.shift()?.resolve();
  }

  /** Waits for what is waiting now, not for what comes meanwhile. */
  function caughtUp(): Promise<void> {
    if (waiting.length === 0) return Promise.resolve();
    sending ??= sendAll();
    return new Promise((resolve, reject) => {
      barriers.push({ writes: waiting.length, resolve, reject });
    });
  }

  /** Passes on what was read from Git. */
  async function absorb(asked: Promise<SyncOutcome>): Promise<SyncOutcome> {
    const outcome = await asked;
    rows.refresh();
    for (const change of outcome.changes) listeners.emit(change);
    return outcome;
  }

  return {
    rows,
    caughtUp,
    onChange: (listener) => listeners.on(listener),
    get(scope, key) {
      const one = unconfirmed.get(memoryId(scope, key));
      if (!one) return rows.get(scope, key);
      return 'entry' in one ? one.entry : (one.entry = toEntry(one.record, codec));
    },
    add(records) {
      for (const record of records) unconfirmed.set(memoryId(record.scope, record.key), { record });
      waiting.push(...records);
      sending ??= sendAll();
    },
    async noteCommits(outcome) {
      await caughtUp();
      return absorb(thread.ask('noteCommits', outcome));
    },
    sync: (to) => absorb(thread.ask('sync', to)),
    rebuild: (to) => absorb(thread.ask('rebuild', to)),
    compact() {
      rows.refresh();
      return thread.ask('compact', undefined);
    },
    get unconfirmedCount() {
      return waiting.length;
    },
    get textBacklog() {
      return rows.unindexedCount;
    },
    async [Symbol.asyncDispose]() {
      await sending;
      rows[Symbol.dispose]();
      await thread[Symbol.asyncDispose]();
    },
  };
}

function toEntry(record: WriteRecord, codec: FileCodec): Entry | undefined {
  const { scope, key, path, etag, atMs, actor, seq, content } = record;
  if (etag === null || content === null) return undefined;
  const { file, expiresMs = null } = codec.inspect(scope, path, content);
  const tags = file?.tags ?? [];
  return { scope, key, path, etag, tags, expiresMs, atMs, actor, seq, content };
}
