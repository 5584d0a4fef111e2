/**
 * From a wished change to an acknowledged one: checked against the newest value, accepted or not, into the
 * journal, into the index, and only then answered.
 */

import { randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { createAcknowledgements, firstOfKeys } from './acknowledgements.ts';
import type { FileCodec, SealableFile } from './encryption/file-codec.ts';
import type { LiveIndex } from './index/live-index.ts';
import { type Journal, type JournalDisk, createJournal } from './journal/journal.ts';
import type { Segment } from './journal/segment-files.ts';
import { createPlacement } from './placement.ts';
import { type Quotas, toQuotaWrites } from './quotas.ts';
import { waitForRoom } from './wait-for-room.ts';
import { type Change, keptSubject, recordOf, requireMatch } from './write-change.ts';
import { type WriteRecord, memoryId } from './write-record.ts';

export type { Change };

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
   * Resolves when the change is durable and visible. Throws MEMORY_CHANGED, MEMORY_SEALED, PAYLOAD_TOO_LARGE,
   * OVERLOADED, DISK_FULL or STORAGE_FAILED.
   */
  submit(change: Change): Promise<Acknowledged>;
  /** The same for changes of different memories, of one caller: all of them, or none. One commit. */
  submitAll(changes: readonly Change[]): Promise<Acknowledged[]>;
  /** Resolves when every write that was submitted before is durable or has failed. */
  settled(): Promise<void>;
  /** Notes a sequence of another replica: writes get greater ones from now on (Lamport). */
  observe(seq: number): void;
  /**
   * 16 hex digits, drawn anew for each run. Two replicas whose writes agree in all else still make two commits: a
   * merge counts both. It stays with the write in the journal, so that a copied journal is the same writes.
   */
  readonly replica: string;
  /** A sequence for a write that goes another way than the journal; no other write gets it. */
  nextTick(): number;
  /**
   * Keeps writes that come from now on waiting until the returned function is called: those that build on the
   * present values must not go past a merge that changes them.
   */
  hold(): () => void;
  /** Lets go of every journal segment and what was kept of damaged ones; all that is acknowledged must be in Git. */
  dropJournal(): Promise<void>;
  /** Lets go of journal segments that are in Git up to `seq`. */
  release(seq: number): Promise<void>;
}

/** The newest accepted state of a memory. */
interface State {
  readonly seq: number;
  readonly etag: string | null;
  readonly content: Uint8Array | null;
  readonly path?: string;
  /** Bytes that count for the scope's quota, also those of an expired value; null when there is none. */
  readonly heldBytes: number | null;
  /** Settles when it is durable or has failed; absent for one that is durable. */
  readonly done?: Promise<void>;
}

/** Bytes of one atomic batch: it is one group of the journal and one turn of the event loop. */
const maxBatchBytes = 32 * 1024 * 1024;

/** Writes that are acknowledged in one turn of the event loop. */
const maxAcknowledged = 48;

/** Sequences of others above this are no honest ones, and would leave no room for ours. */
const maxSeenSeq = 2 ** 50;

/** Opens the way for writes from sequence `nextSeq` on. */
export function createWritePath(options: {
  readonly index: LiveIndex;
  readonly quotas: Quotas;
  readonly codec: FileCodec;
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
  const { index, quotas, codec, clock, journalDir, onDurable } = options;
  const inFlight = new Map<string, State>();
  const waiting = createAcknowledgements();
  const placement = createPlacement(index.rows);
  let { nextSeq, lastAtMs } = options;
  let landedSeq = 0;
  let lastDone: Promise<void> = Promise.resolve();
  const holds = new Set<Promise<void>>();
  const replica = randomBytes(8).toString('hex');

  const journal: Journal = createJournal({
    folder: journalDir,
    segments: options.segments,
    clock,
    ...(options.disk && { disk: options.disk }),
    onDurable(records) {
      index.add(records);
      if (quotas.isLimited) for (const record of records) quotas.settle(record, true);
      onDurable(records);
      acknowledgeAll(records);
    },
    onWritten(records) {
      if (!records.some(({ seq }) => waiting.isRelaxed(seq))) return;
      const relaxed = firstOfKeys(records).filter(({ seq }) => waiting.isRelaxed(seq));
      index.add(relaxed);
      for (const record of relaxed) acknowledge(record);
    },
    onFailed(records, error) {
      // What was acknowledged is kept and tried again.
      const isKept = ({ seq }: WriteRecord) => waiting.isAcknowledged(seq);
      for (const record of records) {
        if (isKept(record)) continue;
        quotas.settle(record, false);
        settle(record, error);
      }
      return records.filter(isKept);
    },
  });

  function land({ scope, key, seq }: WriteRecord): void {
    const id = memoryId(scope, key);
    if (inFlight.get(id)?.seq === seq) inFlight.delete(id);
  }

  function acknowledge(record: WriteRecord): void {
    land(record);
    waiting.acknowledge(record.seq);
  }

  /** Some at a time: each caller that goes on has work to do, and others wait for the event loop too. */
  function acknowledgeAll(records: readonly WriteRecord[]): void {
    for (const record of records.slice(0, maxAcknowledged)) settle(record, undefined);
    if (records.length > maxAcknowledged) setImmediate(() => acknowledgeAll(records.slice(maxAcknowledged)));
  }

  function settle(record: WriteRecord, failure: AppError | undefined): void {
    land(record);
    waiting.settle(record.seq, failure);
  }

  /** The newest state, accepted writes included; an expired value counts as none. */
  function stateOf(change: Change): State {
    const flying = inFlight.get(memoryId(change.scope, change.key));
    if (flying) return flying;
    const entry = index.get(change.scope, change.key);
    if (!entry) return { etag: null, content: null, heldBytes: null, seq: nextSeq - 1 };
    const { path, seq, etag, content } = entry;
    const isOver = entry.expiresMs !== null && entry.expiresMs <= clock.now() && !change.isExpiry;
    const held = { path, seq, heldBytes: content.length };
    return isOver ? { etag: null, content: null, ...held } : { etag, content, ...held };
  }

  function toRecord(change: Change, state: State | undefined, seq: number): WriteRecord {
    const { scope, key } = change;
    const currentPath = state?.path;
    const file = typeof change.file === 'function' ? change.file(fileOf(state, scope)) : change.file;
    lastAtMs = Math.max(lastAtMs, clock.now());
    const encoded = file && codec.encode(scope, { ...file, ...keptSubject(file, state), key });
    const places = { place: placement.pathOf(scope, key, currentPath), currentPath };
    if (!encoded && currentPath !== undefined) placement.removed(currentPath);
    return recordOf(change, encoded, places, { seq, atMs: lastAtMs, replica });
  }

  function fileOf(state: State | undefined, scope: string): SealableFile | undefined {
    const isThere = state?.path !== undefined && state.content !== null;
    return isThere ? codec.decode(scope, state.path, state.content) : undefined;
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
      if (record.etag === state?.etag && change.removePaths === undefined) return undefined;
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
    while (holds.size > 0) await Promise.all(holds);
    if (options.isFull()) await waitForRoom(options.isFull, clock);
    const states = changes.map(stateOf);
    let records: (WriteRecord | undefined)[];
    try {
      for (const [i, change] of changes.entries()) requireMatch(change, states[i]?.etag ?? null);
      records = prepare(changes, states);
      if (quotas.isLimited) quotas.check(toQuotaWrites(records, states));
    } catch (error) {
      // Only values that are durable may refuse a write; when a newer one fails, look again.
      const before = await Promise.allSettled(states.flatMap(({ done }) => done ?? []));
      if (before.some(({ status }) => status === 'rejected')) return submitAll(changes);
      throw error;
    }
    const fresh = records.filter((record) => record !== undefined);
    if (quotas.isLimited) quotas.accept(toQuotaWrites(records, states));
    const isStrict = changes.every(({ durability }) => durability !== 'relaxed');
    const written = fresh.map((record) => take(record, isStrict));
    if (fresh.length > 0) journal.append(fresh);
    const before = states.flatMap(({ done }, i) => (records[i] || !done ? [] : [done]));
    await Promise.all([...written, ...before]);
    return records.map((record, i) => {
      const { etag, seq, content } = record ?? states[i] ?? { etag: null, seq: 0, content: null };
      return { etag, seq, content, isChanged: record !== undefined };
    });
  }

  /** Counts the record as accepted; the promise settles with its acknowledgement. */
  function take(record: WriteRecord, isStrict: boolean): Promise<void> {
    const { seq, etag, path, content } = record;
    nextSeq = seq + 1;
    const { acknowledged: done, durable } = waiting.take(seq, isStrict);
    lastDone = durable;
    inFlight.set(memoryId(record.scope, record.key), {
      seq,
      etag,
      path,
      content,
      heldBytes: content?.length ?? null,
      done,
    });
    return done;
  }

  return {
    submit,
    submitAll,
    settled: () => lastDone.catch(() => {}),
    observe(seq) {
      if (seq < maxSeenSeq) nextSeq = Math.max(nextSeq, seq + 1);
    },
    replica,
    nextTick: () => nextSeq++,
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      holds.add(promise);
      return () => {
        holds.delete(promise);
        resolve();
      };
    },
    dropJournal: () => journal.dropAll(),
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
