/**
 * The write-ahead journal: a write counts once it is here and fdatasynced. Writers that come while one
 * group is being synced share the next one.
 */

import { type FileHandle, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { WriteRecord } from '../write-record.ts';
import { encodeRecords, segmentMagic } from './record-codec.ts';
import { type Segment, createSegment } from './segment-files.ts';

export interface Journal extends AsyncDisposable {
  /**
   * Queues records; `onDurable` hears of them, or `onFailed` when they could not be made durable. An atomic
   * batch comes in one call and is written in one group.
   */
  append(records: readonly WriteRecord[]): void;
  /** Drops segments whose records are all at or below `seq`: they are in Git. */
  release(seq: number): Promise<void>;
  /** Drops all segments, which must be in Git, and what was kept of damaged ones. */
  dropAll(): Promise<void>;
}

/** The few file calls of the journal, so that a test can make the disk full. */
export interface JournalDisk {
  write(handle: FileHandle, bytes: Buffer, position: number): Promise<void>;
  sync(handle: FileHandle): Promise<void>;
}

/** The real disk; a short write is continued until all bytes are down. */
export const realDisk: JournalDisk = {
  async write(handle, bytes, position) {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  },
  sync: (handle) => handle.datasync(),
};

/** Acknowledged writes that a failing disk did not take are tried again after so long. */
const retryMs = 1000;
const maxGroupBytes = 8 * 1024 * 1024;
/** A group is handed over in one turn of the event loop, which must stay short: some microseconds a write. */
const maxGroupWrites = 1024;

/** Opens the journal for appending; `segments` are the ones that recovery found. */
export function createJournal(options: {
  folder: string;
  segments: readonly Segment[];
  /** All writes of a group, in order, once they are durable. Called in order of groups. */
  onDurable: (records: readonly WriteRecord[]) => void;
  /** A group is written, not yet synced: a crash of the process cannot take it back. */
  onWritten?: (records: readonly WriteRecord[]) => void;
  /**
   * Writes that are not in the journal: the group that failed and all that were queued behind it. Those that it
   * returns are tried again, before all others.
   */
  onFailed: (records: readonly WriteRecord[], error: AppError) => readonly WriteRecord[];
  clock: Clock;
  maxSegmentBytes?: number;
  disk?: JournalDisk;
}): Journal {
  const {
    folder,
    onDurable,
    onWritten,
    onFailed,
    clock,
    disk = realDisk,
    maxSegmentBytes = 16 * 1024 * 1024,
  } = options;
  let finished = [...options.segments];
  let queue: WriteRecord[] = [];
  let active: { path: string; handle: FileHandle; bytes: number; lastSeq: number } | undefined;
  let running: Promise<void> | undefined;

  async function openSegment(firstSeq: number) {
    const made = await createSegment(folder, firstSeq);
    return { ...made, bytes: segmentMagic.length, lastSeq: 0 };
  }

  async function finishSegment(): Promise<void> {
    if (!active) return;
    const { path, handle, lastSeq } = active;
    active = undefined;
    finished.push({ path, lastSeq });
    await handle.close();
  }

  /** Takes what a failed group may have left off the file; while that fails, nothing is written at all. */
  async function cutBack(): Promise<void> {
    if (!active) return;
    await active.handle.truncate(active.bytes);
    await active.handle.sync();
    await finishSegment();
  }

  async function writeGroup(group: readonly WriteRecord[]): Promise<void> {
    const first = group[0];
    const last = group.at(-1);
    if (!first || !last) return;
    if (active && active.bytes >= maxSegmentBytes) await finishSegment();
    active ??= await openSegment(first.seq);
    const bytes = encodeRecords(group);
    await disk.write(active.handle, bytes, active.bytes);
    onWritten?.(group);
    await disk.sync(active.handle);
    active.bytes += bytes.length;
    active.lastSeq = last.seq;
  }

  function takeGroup(): WriteRecord[] {
    let bytes = 0;
    let count = 0;
    while (count < Math.min(queue.length, maxGroupWrites) && bytes < maxGroupBytes) {
      bytes += 256 + (queue[count]?.content?.length ?? 0);
      count += 1;
    }
    const batchEnd = queue[count - 1]?.batchEnd ?? 0;
    while ((queue[count]?.seq ?? Infinity) <= batchEnd) count += 1;
    return queue.splice(0, count);
  }

  let dirty = false;
  /** Acknowledged before the disk failed; they go before all others. */
  const held: WriteRecord[] = [];
  let cancelRetry: (() => void) | undefined;

  function retry(): void {
    cancelRetry?.();
    cancelRetry = undefined;
    queue.unshift(...held.splice(0));
    if (queue.length > 0) running ??= run();
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      // One turn of the event loop lets all writers of this moment into the group.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      const group = takeGroup();
      try {
        if (dirty) await cutBack();
        dirty = false;
        await writeGroup(group);
      } catch (error) {
        dirty = true;
        const failed = [...group, ...queue];
        queue = [];
        held.push(...onFailed(failed, toStorageError(error, folder)));
        if (held.length > 0) cancelRetry ??= clock.after(retryMs, retry);
        continue;
      }
      onDurable(group);
    }
    running = undefined;
  }

  return {
    append(records) {
      queue.push(...records);
      if (held.length > 0) retry();
      else running ??= run();
    },
    async release(seq) {
      if (active && active.lastSeq <= seq && active.bytes >= maxSegmentBytes && !running)
        await finishSegment();
      const done = finished.filter((segment) => segment.lastSeq <= seq);
      finished = finished.filter((segment) => segment.lastSeq > seq);
      for (const segment of done) await unlink(segment.path);
    },
    async dropAll() {
      await running;
      await finishSegment();
      for (const { path } of finished.splice(0)) await unlink(path);
      for (const name of await readdir(folder))
        if (name.endsWith('.damaged')) await unlink(join(folder, name));
    },
    async [Symbol.asyncDispose]() {
      await running;
      retry();
      await running;
      cancelRetry?.();
      if (dirty) await cutBack().catch(() => {});
      await finishSegment();
    },
  };
}

/** DISK_FULL or STORAGE_FAILED for a failed file call. */
export function toStorageError(error: unknown, path: string): AppError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new AppError('DISK_FULL', { path }, { cause: error });
  const problem = code ?? (error instanceof Error ? error.message : String(error));
  return new AppError('STORAGE_FAILED', { path, problem }, { cause: error });
}
