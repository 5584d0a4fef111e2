/**
 * From a wished change to an acknowledged one: checked against the newest value, accepted or not, into the
 * journal, into the index, and only then answered.
 */

import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { applyRecord } from './commit-loop.ts';
import { keyPath } from './files/key-path.ts';
import { type MemoryFile, blobId, encodeMemoryFile, kindOf } from './files/memory-file.ts';
import type { MemoryIndex } from './index/memory-index.ts';
import { type Journal, type JournalDisk, createJournal, toStorageError } from './journal/journal.ts';
import type { Segment } from './journal/segment-files.ts';
import { type WriteOp, type WriteRecord, memoryId } from './write-record.ts';

/** A change that someone wants. */
export interface Change {
  readonly op: WriteOp;
  readonly scope: string;
  /** Normalized. */
  readonly key: string;
  /** What to keep; undefined deletes. */
  readonly file?: Omit<MemoryFile, 'key'>;
  /** An etag, or `absent`. */
  readonly ifMatch?: string | undefined;
  /** Deletes also what has expired and so is not there for others. */
  readonly isExpiry?: boolean;
  readonly actor: string;
  readonly agent: string;
  readonly requestId?: string | undefined;
}

export interface Acknowledged {
  /** Null when there is no value now. */
  readonly etag: string | null;
  readonly seq: number;
  /** False when everything was so already, and nothing was written. */
  readonly isChanged: boolean;
}

export interface WritePath extends AsyncDisposable {
  /**
   * Resolves when the change is durable and visible. Throws MEMORY_CHANGED, PAYLOAD_TOO_LARGE, OVERLOADED,
   * DISK_FULL or STORAGE_FAILED.
   */
  submit(change: Change): Promise<Acknowledged>;
  /** Brings durable writes into the index that it could not take when they came. Throws DISK_FULL, STORAGE_FAILED. */
  ensureApplied(): void;
  /** Resolves when every write that was submitted before is durable or has failed. */
  settled(): Promise<void>;
  /** Lets go of journal segments that are in Git up to `seq`. */
  release(seq: number): Promise<void>;
}

interface Waiting {
  resolve(): void;
  reject(error: AppError): void;
}

/** The newest accepted state of a memory, perhaps not durable yet. */
interface InFlight {
  readonly seq: number;
  readonly etag: string | null;
  readonly path: string;
  readonly done: Promise<void>;
}

/** Opens the way for writes from sequence `nextSeq` on. */
export function createWritePath(options: {
  readonly index: MemoryIndex;
  readonly clock: Clock;
  readonly journalDir: string;
  readonly segments: readonly Segment[];
  readonly nextSeq: number;
  /** Time of the newest write so far: later ones get no earlier time. */
  readonly lastAtMs: number;
  readonly disk?: JournalDisk | undefined;
  /** Bytes that still wait for Git, against a limit. */
  readonly isFull: () => boolean;
  /** Durable writes, in order, visible in the index. */
  readonly onDurable: (records: readonly WriteRecord[]) => void;
}): WritePath {
  const { index, clock, journalDir, onDurable } = options;
  const inFlight = new Map<string, InFlight>();
  const waiting = new Map<number, Waiting>();
  let unapplied: WriteRecord[] = [];
  let { nextSeq, lastAtMs } = options;
  let landedSeq = 0;
  let lastDone: Promise<void> = Promise.resolve();

  const journal: Journal = createJournal({
    folder: journalDir,
    segments: options.segments,
    ...(options.disk && { disk: options.disk }),
    onDurable(records) {
      unapplied.push(...records);
      let failure: AppError | undefined;
      try {
        ensureApplied();
      } catch (error) {
        failure = error as AppError;
      }
      onDurable(records);
      for (const record of records) settle(record, failure);
    },
    onFailed(records, error) {
      for (const record of records) settle(record, error);
    },
  });

  function settle(record: WriteRecord, failure: AppError | undefined): void {
    const id = memoryId(record.scope, record.key);
    if (inFlight.get(id)?.seq === record.seq) inFlight.delete(id);
    const one = waiting.get(record.seq);
    waiting.delete(record.seq);
    if (failure) one?.reject(failure);
    else one?.resolve();
  }

  function ensureApplied(): void {
    if (unapplied.length === 0) return;
    const records = unapplied;
    try {
      index.transaction(() => {
        for (const record of records) applyRecord(index, record);
      });
    } catch (error) {
      const isFull = (error as { errcode?: number }).errcode === 13;
      if (isFull) throw new AppError('DISK_FULL', { path: journalDir }, { cause: error });
      throw toStorageError(error, journalDir);
    }
    unapplied = [];
  }

  /** The newest state, accepted writes included; an expired value counts as none. */
  function stateOf(change: Change): {
    etag: string | null;
    path?: string;
    seq: number;
    done?: Promise<void>;
  } {
    const flying = inFlight.get(memoryId(change.scope, change.key));
    if (flying) return flying;
    const entry = index.get(change.scope, change.key);
    if (!entry) return { etag: null, seq: nextSeq - 1 };
    const isOver = entry.expiresMs !== null && entry.expiresMs <= clock.now() && !change.isExpiry;
    return { etag: isOver ? null : entry.etag, path: entry.path, seq: entry.seq };
  }

  function toRecord(change: Change, currentPath: string | undefined): WriteRecord {
    const { op, scope, key, file, actor, agent, requestId } = change;
    lastAtMs = Math.max(lastAtMs, clock.now());
    const content = file ? encodeMemoryFile({ ...file, key }) : null;
    const both = [keyPath(scope, key, 'json'), keyPath(scope, key, 'text')];
    const path = file
      ? keyPath(scope, key, kindOf(file.value))
      : (currentPath ?? keyPath(scope, key, 'json'));
    const others = new Set(currentPath === undefined ? both : [...both, currentPath]);
    others.delete(path);
    return {
      seq: nextSeq,
      op,
      scope,
      key,
      path,
      removePaths: [...others],
      etag: content && blobId(content),
      content,
      atMs: lastAtMs,
      actor,
      agent,
      ...(requestId !== undefined && { requestId }),
    };
  }

  async function submit(change: Change): Promise<Acknowledged> {
    ensureApplied();
    const state = stateOf(change);
    if (!isMatch(change, state.etag)) {
      // Only a value that is durable may refuse a write; when the newer one fails, look again.
      const isThere = await (state.done ?? Promise.resolve()).then(
        () => true,
        () => false,
      );
      if (isThere) throw changed(change, state.etag);
      return submit(change);
    }
    const record = toRecord(change, state.path);
    if (record.etag === state.etag) {
      await state.done;
      return { etag: state.etag, seq: state.seq, isChanged: false };
    }
    if (options.isFull()) throw new AppError('OVERLOADED', { problem: 'too many writes wait for Git' });
    nextSeq += 1;
    const { seq, etag, path } = record;
    const done = new Promise<void>((resolve, reject) => {
      waiting.set(seq, { resolve, reject });
    });
    inFlight.set(memoryId(change.scope, change.key), { seq, etag, path, done });
    lastDone = done;
    journal.append(record);
    await done;
    return { etag, seq, isChanged: true };
  }

  return {
    submit,
    ensureApplied,
    settled: () => lastDone.catch(() => {}),
    async release(seq) {
      landedSeq = Math.max(landedSeq, seq);
      await journal.release(landedSeq);
    },
    async [Symbol.asyncDispose]() {
      await journal[Symbol.asyncDispose]();
      await journal.release(landedSeq);
    },
  };
}

function isMatch(change: Change, etag: string | null): boolean {
  return change.ifMatch === undefined || change.ifMatch === (etag ?? 'absent');
}

function changed(change: Change, etag: string | null): AppError {
  const { scope, key, ifMatch } = change;
  return new AppError('MEMORY_CHANGED', { key, scope, actual: etag ?? 'absent', expected: ifMatch });
}
