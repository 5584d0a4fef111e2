/**
 * The change feed: the last 100,000 changes of the memory in the order in which readers saw them, ours and those
 * that came through Git. Positions grow and are never given twice in one epoch, and an index that is made anew
 * begins another epoch.
 */

import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { WriteOp } from '../write-record.ts';

/** Tables of the feed; `changes_state` has one row. */
export const changeTables = `
  CREATE TABLE changes (
    position INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    op TEXT NOT NULL,
    etag TEXT,
    actor TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    seq INTEGER NOT NULL
  );
  CREATE TABLE changes_state (
    epoch TEXT NOT NULL, floor INTEGER NOT NULL, last_seq INTEGER NOT NULL, begun INTEGER NOT NULL
  );
`;

/** What changed in one memory. */
export interface ChangeInput {
  readonly scope: string;
  readonly key: string;
  readonly op: WriteOp;
  /** Null for a deletion. */
  readonly etag: string | null;
  readonly actor: string;
  readonly atMs: number;
  /** Journal position; 0 for what came through Git. */
  readonly seq: number;
}

/** A change in the feed. */
export interface FeedChange extends ChangeInput {
  /** Place in the feed; opaque, `<epoch>-<number>`. */
  readonly position: string;
}

export interface ChangeQuery {
  readonly scope?: string | undefined;
  readonly prefix?: string | undefined;
  readonly limit: number;
}

/** What came after a position. */
export interface ChangePage {
  readonly changes: readonly FeedChange[];
  /** Where to go on. */
  readonly next: string;
  /** True when there is more. */
  readonly more: boolean;
}

/** The feed as its readers see it. */
export interface ChangeReader {
  /** The position of the newest change. */
  head(): string;
  /** What came after `since`; undefined when that is of another epoch, or older than what is kept. */
  after(since: string, query: ChangeQuery): ChangePage | undefined;
}

export interface ChangeTable {
  /** Adds within a transaction of the index. */
  add(change: ChangeInput): void;
  /** The same for a write that a former run may have added before it ended. */
  addUnlessThere(change: ChangeInput): void;
  /** What was added since the last call, once its transaction is through. */
  takeAdded(): FeedChange[];
  /** The transaction was undone, and with it what it added. */
  rolledBack(): void;
  /** Empties the feed and begins another epoch. */
  clear(): void;
}

const defaultKept = 100_000;
const trimEvery = 1000;

/**
 * A power cut may take the last positions that someone has heard of (the index does not wait for the disk), so
 * each run begins far above all that a lost tail could hold.
 */
const gapOfRuns = 2 ** 20;

interface Row {
  readonly position: number;
  readonly scope: string;
  readonly key: string;
  readonly op: WriteOp;
  readonly etag: string | null;
  readonly actor: string;
  readonly at_ms: number;
  readonly seq: number;
}

/** The number in a position of some epoch; undefined for what is no position at all. */
export function parsePosition(text: string): { epoch: string; number: number } | undefined {
  const [, epoch, digits] = /^([0-9a-f]{12})-(\d{1,16})$/.exec(text) ?? [];
  const number = Number(digits);
  return epoch !== undefined && Number.isSafeInteger(number) ? { epoch, number } : undefined;
}

interface State {
  readonly epoch: string;
  /** What is kept begins after this position. */
  readonly floor: number;
  /** The newest position that anybody may have heard of. */
  readonly last: number;
  readonly lastSeq: number;
}

function readState(db: DatabaseSync): () => State | undefined {
  const state = db.prepare('SELECT epoch, floor, last_seq AS lastSeq, begun FROM changes_state');
  const newest = db.prepare('SELECT max(position) AS last, max(seq) AS seq FROM changes');
  return () => {
    const row = state.get() as { epoch: string; floor: number; lastSeq: number; begun: number } | undefined;
    if (!row) return undefined;
    const { last, seq } = newest.get() as { last: number | null; seq: number | null };
    const { epoch, floor, begun } = row;
    return { epoch, floor, last: Math.max(last ?? 0, begun), lastSeq: Math.max(seq ?? 0, row.lastSeq) };
  };
}

/** Reads the feed of an index database beside its writer. */
export function createChangeReader(db: DatabaseSync): ChangeReader {
  const stateOf = readState(db);
  const state = () => stateOf() ?? { epoch: noEpoch, floor: 0, last: 0 };
  return {
    head() {
      const { epoch, last } = state();
      return `${epoch}-${last}`;
    },
    after(since, { scope, prefix, limit }) {
      const from = parsePosition(since);
      const { epoch, floor, last } = state();
      if (from?.epoch !== epoch || from.number < floor || from.number > last) return undefined;
      const parts = ['position > ?'];
      const parameters: (string | number)[] = [from.number];
      if (scope !== undefined) {
        parts.push('scope = ?');
        parameters.push(scope);
      }
      if (prefix) {
        parts.push('key >= ? AND key < ?');
        parameters.push(prefix, `${prefix}\u{10ffff}`);
      }
      const sql = `SELECT * FROM changes WHERE ${parts.join(' AND ')} ORDER BY position LIMIT ?`;
      const rows = db.prepare(sql).all(...parameters, limit + 1) as unknown as Row[];
      const changes = rows.slice(0, limit).map((row) => toChange(row, epoch));
      const more = rows.length > limit;
      return { changes, more, next: (more && changes.at(-1)?.position) || `${epoch}-${last}` };
    },
  };
}

/** The feed's one writer; keeps the last `kept` changes, and up to a thousand more. */
export function createChangeTable(db: DatabaseSync, kept = defaultKept): ChangeTable {
  const stateOf = readState(db);
  const insert = db.prepare('INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const trimTo = db.prepare('SELECT position FROM changes ORDER BY position DESC LIMIT 1 OFFSET ?');
  let added: FeedChange[] = [];
  let { epoch, last, lastSeq } = begin();
  const formerSeq = lastSeq;

  /** Begins a run, far above what the last one can have said; a new epoch where there is none. */
  function begin(): State {
    const state = stateOf() ?? begunEpoch();
    const begun = state.last + gapOfRuns;
    db.prepare('UPDATE changes_state SET begun = ?').run(begun);
    return { ...state, last: begun };
  }

  function begunEpoch(): State {
    const made = randomUUID().replaceAll('-', '').slice(0, 12);
    db.prepare('INSERT INTO changes_state VALUES (?, 0, 0, 0)').run(made);
    return { epoch: made, floor: 0, last: 0, lastSeq: 0 };
  }

  /** Part of the transaction that the change is added in. */
  function trim(): void {
    const oldest = trimTo.get(kept) as { position: number } | undefined;
    if (!oldest) return;
    db.prepare('UPDATE changes_state SET floor = ?, last_seq = ?').run(oldest.position, lastSeq);
    db.prepare('DELETE FROM changes WHERE position <= ?').run(oldest.position);
  }

  function add({ scope, key, op, etag, actor, atMs, seq }: ChangeInput): void {
    last += 1;
    lastSeq = Math.max(lastSeq, seq);
    insert.run(last, scope, key, op, etag, actor, atMs, seq);
    added.push({ scope, key, op, etag, actor, atMs, seq, position: `${epoch}-${last}` });
    if (last % trimEvery === 0) trim();
  }

  return {
    add,
    addUnlessThere(change) {
      if (change.seq > formerSeq) add(change);
    },
    takeAdded() {
      const taken = added;
      added = [];
      return taken;
    },
    rolledBack() {
      // Positions that were given are not given again.
      added = [];
      lastSeq = stateOf()?.lastSeq ?? 0;
    },
    clear() {
      db.exec('DELETE FROM changes; DELETE FROM changes_state;');
      added = [];
      ({ epoch, last } = begin());
    },
  };
}

/** Of an index that nobody has written. */
const noEpoch = '000000000000';

function toChange(row: Row, epoch: string): FeedChange {
  const { position, scope, key, op, etag, actor, seq } = row;
  return { position: `${epoch}-${position}`, scope, key, op, etag, actor, atMs: row.at_ms, seq };
}
