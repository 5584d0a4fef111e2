/**
 * From a wished change to an acknowledged one: checked against the newest value, accepted or not, into the
 * journal, into the index, and only then answered.
 */

import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { applyRecord } from './commit-loop.ts';
import { keyPath } from './files/key-path.ts';
import { type MemoryFile, blobId, decodeMemoryFile, encodeMemoryFile, kindOf } from './files/memory-file.ts';
import { type MemoryIndex, kindOfPath } from './index/memory-index.ts';
import { type Journal, type JournalDisk, createJournal, toStorageError } from './journal/journal.ts';
import type { Segment } from './journal/segment-files.ts';
import { type WriteOp, type WriteRecord, memoryId } from './write-record.ts';

type NewFile = Omit<MemoryFile, 'key'>;

/** A change that someone wants. */
export interface Change {
  readonly op: WriteOp;
  readonly scope: string;
  /** Normalized. */
  readonly key: string;
  /** What to keep, or how it comes from what is there now; undefined deletes. */
  readonly file?: NewFile | ((now: MemoryFile | undefined) => NewFile);
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
  /** The file's bytes; null when there is none now. */
  readonly content: Uint8Array | null;
  /** False when everything was so already, and nothing was written. */
  readonly isChanged: boolean;
}

export interface WritePath extends AsyncDisposable {
  /**
   * Resolves when the change is durable and visible. Throws MEMORY_CHANGED, PAYLOAD_TOO_LARGE, OVERLOADED,
   * DISK_FULL or STORAGE_FAILED.
   */
  submit(change: Change): Promise<Acknowledged>;
  /** The same for changes of different memories, of one caller: all of them, or none. One commit. */
  submitAll(changes: readonly Change[]): Promise<Acknowledged[]>;
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

/** The newest accepted state of a memory. */
interface State {
  readonly seq: number;
  readonly etag: string | null;
  readonly content: Uint8Array | null;
  readonly path?: string;
  /** Settles when it is durable or has failed; absent for one that is durable. */
  readonly done?: Promise<void>;
}

/** Bytes of one atomic batch: it is one group of the journal and one turn of the event loop. */
const maxBatchBytes = 32 * 1024 * 1024;

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
  const inFlight = new Map<string, State>();
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
  function stateOf(change: Change): State {
    const flying = inFlight.get(memoryId(change.scope, change.key));
    if (flying) return flying;
    const entry = index.get(change.scope, change.key);
    if (!entry) return { etag: null, content: null, seq: nextSeq - 1 };
    const { path, seq, etag, content } = entry;
    const isOver = entry.expiresMs !== null && entry.expiresMs <= clock.now() && !change.isExpiry;
    return isOver ? { etag: null, content: null, path, seq } : { etag, content, path, seq };
  }

  function toRecord(change: Change, state: State | undefined, seq: number): WriteRecord {
    const { op, scope, key, actor, agent, requestId } = change;
    const currentPath = state?.path;
    const file = typeof change.file === 'function' ? change.file(fileOf(state)) : change.file;
    lastAtMs = Math.max(lastAtMs, clock.now());
    const content = file ? encodeMemoryFile({ ...file, key }) : null;
    const both = [keyPath(scope, key, 'json'), keyPath(scope, key, 'text')];
    const path = file
      ? keyPath(scope, key, kindOf(file.value))
      : (currentPath ?? keyPath(scope, key, 'json'));
    const others = new Set(currentPath === undefined ? both : [...both, currentPath]);
    others.delete(path);
    return {
      seq,
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
    const [done] = await submitAll([change]);
    if (!done) throw new AppError('INTERNAL');
    return done;
  }

  /** Records of the changes, with sequences from `nextSeq` on; unchanged ones have none. */
  function prepare(changes: readonly Change[], states: readonly State[]): (WriteRecord | undefined)[] {
    let seq = nextSeq;
    let bytes = 0;
    const records = changes.map((change, i) => {
      const state = states[i];
      const record = toRecord(change, state, seq);
      if (record.etag === state?.etag) return undefined;
      seq += 1;
      bytes += record.content?.length ?? 0;
      if (changes.length > 1 && bytes > maxBatchBytes) {
        throw new AppError('PAYLOAD_TOO_LARGE', { what: 'the batch', bytes, limitBytes: maxBatchBytes });
      }
      return record;
    });
    const batchEnd = seq - 1;
    if (batchEnd <= nextSeq) return records;
    return records.map((record) => record && { ...record, batchEnd });
  }

  async function submitAll(changes: readonly Change[]): Promise<Acknowledged[]> {
    ensureApplied();
    const states = changes.map(stateOf);
    let records: (WriteRecord | undefined)[];
    try {
      for (const [i, change] of changes.entries()) requireMatch(change, states[i]?.etag ?? null);
      records = prepare(changes, states);
    } catch (error) {
      // Only values that are durable may refuse a write; when a newer one fails, look again.
      const before = await Promise.allSettled(states.flatMap(({ done }) => done ?? []));
      if (before.some(({ status }) => status === 'rejected')) return submitAll(changes);
      throw error;
    }
    const fresh = records.filter((record) => record !== undefined);
    if (fresh.length > 0 && options.isFull())
      throw new AppError('OVERLOADED', { problem: 'too many writes wait for Git' });
    const written = fresh.map(take);
    if (fresh.length > 0) journal.append(fresh);
    lastDone = written.at(-1) ?? lastDone;
    const before = states.flatMap(({ done }, i) => (records[i] || !done ? [] : [done]));
    await Promise.all([...written, ...before]);
    return records.map((record, i) => {
      const { etag, seq, content } = record ?? states[i] ?? { etag: null, seq: 0, content: null };
      return { etag, seq, content, isChanged: record !== undefined };
    });
  }

  /** Counts the record as accepted; the promise settles with it. */
  function take(record: WriteRecord): Promise<void> {
    const { seq, etag, path, content } = record;
    nextSeq = seq + 1;
    const done = new Promise<void>((resolve, reject) => {
      waiting.set(seq, { resolve, reject });
    });
    inFlight.set(memoryId(record.scope, record.key), { seq, etag, path, content, done });
    return done;
  }

  return {
    submit,
    submitAll,
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

function fileOf(state: State | undefined): MemoryFile | undefined {
  const isThere = state?.path !== undefined && state.content !== null;
  return isThere ? decodeMemoryFile(kindOfPath(state.path), state.content) : undefined;
}

/** Throws MEMORY_CHANGED when the change asks for another etag than this. */
function requireMatch({ scope, key, ifMatch }: Change, etag: string | null): void {
  const actual = etag ?? 'absent';
  if (ifMatch === undefined || ifMatch === actual) return;
  throw new AppError('MEMORY_CHANGED', { key, scope, actual, expected: ifMatch });
}
