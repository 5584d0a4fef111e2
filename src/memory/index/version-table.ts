/** Every version of every memory that is in Git, in the order in which main got them. */

import type { DatabaseSync } from 'node:sqlite';
import type { WriteOp } from '../write-record.ts';
import { type ReadTurn, noReadTurn } from './read-turn.ts';

/** A version of a memory. */
export interface Version {
  /** Place in the history of the whole repository; grows. */
  readonly ordinal: number;
  readonly path: string;
  /** Null for a deletion. */
  readonly etag: string | null;
  readonly commit: string;
  readonly atMs: number;
  readonly actor: string;
  readonly op: WriteOp;
}

export type VersionInput = Omit<Version, 'ordinal'> & {
  readonly scope: string;
  readonly key: string;
  /** Journal position; null for what someone pushed. */
  readonly seq: number | null;
};

export interface VersionTable {
  add(version: VersionInput): void;
  /** Newest first, from before an ordinal. */
  list(scope: string, key: string, beforeOrdinal: number, limit: number): Version[];
  /** The last version at or before a time. */
  atTime(scope: string, key: string, atMs: number): Version | undefined;
  /** The newest version with that content up to an ordinal, else the newest with it at all. */
  withEtag(scope: string, key: string, etag: string, upToOrdinal: number): Version | undefined;
  last(scope: string, key: string): Version | undefined;
  /** The last commit at or before a time. */
  commitAt(atMs: number): string | undefined;
  /** The highest ordinal of a commit; undefined for a commit that touched no memory. */
  ordinalOf(commit: string): number | undefined;
  /** Every path that ever held the key. */
  pathsOf(scope: string, key: string): string[];
  /** Every memory that has a version after a time. */
  changedAfter(atMs: number): { scope: string; key: string }[];
  /** The memory that a path last stood for. */
  keyAtPath(path: string): { scope: string; key: string } | undefined;
  readonly count: number;
  /** The highest journal position, ours or of other replicas; 0 when there is none. */
  readonly maxSeq: number;
}

interface Row {
  readonly ordinal: number;
  readonly path: string;
  readonly etag: string | null;
  readonly commit_id: string;
  readonly at_ms: number;
  readonly actor: string;
  readonly op: WriteOp;
}

const columns = 'ordinal, path, etag, commit_id, at_ms, actor, op';

/** The versions in a database. */
export function createVersionTable(db: DatabaseSync, turn: ReadTurn = noReadTurn): VersionTable {
  const one = (condition: string) =>
    db.prepare(`SELECT ${columns} FROM versions WHERE ${condition} ORDER BY ordinal DESC LIMIT 1`);
  const add = db.prepare(
    `INSERT INTO versions (scope, key, path, etag, commit_id, at_ms, actor, op, seq)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const list = db.prepare(
    `SELECT ${columns} FROM versions WHERE scope = ? AND key = ? AND ordinal < ? ORDER BY ordinal DESC LIMIT ?`,
  );
  const atTime = one('scope = ? AND key = ? AND at_ms <= ?');
  const withEtagUpTo = one('scope = ? AND key = ? AND etag = ? AND ordinal <= ?');
  const last = one('scope = ? AND key = ?');
  const commitAt = one('at_ms <= ?');
  const ordinalOf = db.prepare('SELECT max(ordinal) AS ordinal FROM versions WHERE commit_id = ?');
  const pathsOf = db.prepare('SELECT DISTINCT path FROM versions WHERE scope = ? AND key = ?');
  const keyAtPath = db.prepare(
    'SELECT scope, key FROM versions WHERE path = ? ORDER BY ordinal DESC LIMIT 1',
  );
  const changedAfter = db.prepare('SELECT DISTINCT scope, key FROM versions WHERE at_ms > ?');
  const maxSeq = db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM versions');
  const count = db.prepare('SELECT count(*) AS n FROM versions');

  return {
    add(version) {
      const { scope, key, path, etag, commit, atMs, actor, op, seq } = version;
      add.run(scope, key, path, etag, commit, atMs, actor, op, seq);
    },
    list(scope, key, beforeOrdinal, limit) {
      return (list.all(scope, key, beforeOrdinal, limit) as unknown as Row[]).map(toVersion);
    },
    atTime: (scope, key, atMs) => optional(atTime.get(scope, key, atMs)),
    withEtag(scope, key, etag, upToOrdinal) {
      const found = withEtagUpTo.get(scope, key, etag, upToOrdinal);
      return optional(found ?? withEtagUpTo.get(scope, key, etag, Number.MAX_SAFE_INTEGER));
    },
    last(scope, key) {
      turn.begin();
      return optional(last.get(scope, key));
    },
    commitAt: (atMs) => optional(commitAt.get(atMs))?.commit,
    ordinalOf(commit) {
      const row = ordinalOf.get(commit) as unknown as { ordinal: number | null } | undefined;
      return row?.ordinal ?? undefined;
    },
    pathsOf: (scope, key) =>
      (pathsOf.all(scope, key) as unknown as { path: string }[]).map((row) => row.path),
    changedAfter(atMs) {
      const rows = changedAfter.all(atMs) as unknown as { scope: string; key: string }[];
      return rows.map(({ scope, key }) => ({ scope, key }));
    },
    keyAtPath(path) {
      const row = keyAtPath.get(path) as unknown as { scope: string; key: string } | undefined;
      return row && { scope: row.scope, key: row.key };
    },
    get count() {
      return (count.get() as unknown as { n: number }).n;
    },
    get maxSeq() {
      return (maxSeq.get() as unknown as { seq: number }).seq;
    },
  };
}

function optional(row: unknown): Version | undefined {
  return row === undefined ? undefined : toVersion(row as Row);
}

function toVersion(row: Row): Version {
  const { ordinal, path, etag, actor, op } = row;
  return { ordinal, path, etag, commit: row.commit_id, atMs: row.at_ms, actor, op };
}
