/** When and by whom each memory was last changed on one side of a merge: one pass over its commits. */

import { committerEmail, decodeTrailers } from '../git/commit-message.ts';
import { readLog } from '../git/read-log.ts';
import type { Git } from '../git/run-git.ts';
import { memoryId } from '../write-record.ts';

/** Place of a change in the order of all changes. */
export interface Stamp {
  /** Lamport number; null for a commit that has none. */
  readonly seq: number | null;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly actor: string;
}

/** One change of a unit. */
export interface UnitChange {
  readonly op: string;
  readonly commit: string;
  /** Names one accepted write among those of all replicas; absent for changes that tell nothing of themselves. */
  readonly write?: string | undefined;
}

export interface SideStamps {
  /** The last change of a unit (see `Units`). */
  of(unit: string): Stamp;
  /** Its changes, oldest first. */
  changesOf(unit: string): readonly UnitChange[];
}

/**
 * Negative when `a` is older: by Lamport number, then actor; by date, then actor when one has no number. Zero
 * for two that nothing tells apart.
 */
export function compareStamps(a: Stamp, b: Stamp): number {
  const order = a.seq !== null && b.seq !== null ? a.seq - b.seq : a.atMs - b.atMs;
  if (order !== 0) return order;
  return a.actor === b.actor ? 0 : a.actor < b.actor ? -1 : 1;
}

/** Units asked for, by memory id or by path. */
export interface UnitNames {
  readonly memory: (id: string) => string | undefined;
  readonly path: (path: string) => string | undefined;
  readonly count: number;
}

/**
 * Reads `base..side`. Our own commits say in their trailers what they changed; only when others have to be
 * looked at are the changed files asked for, which takes much longer. Throws GIT_FAILED.
 */
export async function readStamps(
  git: Git,
  base: string | null,
  side: string,
  units: UnitNames,
): Promise<SideStamps> {
  const fast = await collectStamps(git, base, side, units, false);
  return fast.isWhole ? fast : collectStamps(git, base, side, units, true);
}

async function collectStamps(
  git: Git,
  base: string | null,
  side: string,
  units: UnitNames,
  hasChanges: boolean,
): Promise<SideStamps & { readonly isWhole: boolean }> {
  const stamps = new Map<string, Stamp>();
  const changes = new Map<string, UnitChange[]>();
  let last: Stamp = { seq: null, atMs: 0, actor: '' };
  let others = 0;

  function note(unit: string, stamp: Stamp, change: UnitChange): void {
    const before = stamps.get(unit);
    const isOlder = before && stamp.seq !== null && before.seq !== null && stamp.seq < before.seq;
    if (!isOlder) stamps.set(unit, stamp);
    const known = changes.get(unit);
    if (known) known.push(change);
    else changes.set(unit, [change]);
  }

  for await (const commit of readLog(git, base, side, { hasChanges })) {
    last = { seq: null, atMs: commit.committedMs, actor: commit.authorName };
    const isOurs = commit.committerEmail === committerEmail;
    const sets = isOurs ? decodeTrailers(commit.message) : [];
    for (const { scope, key, seq, atMs, actor, op, replica } of sets) {
      const unit = units.memory(memoryId(scope, key));
      const write = replica === undefined ? undefined : `${replica} ${seq}`;
      if (unit !== undefined) note(unit, { seq, atMs, actor }, { op, commit: commit.id, write });
    }
    if (sets.length > 0) continue;
    const isMerge = commit.parents.length > 1;
    if (!isOurs || !isMerge) others += 1;
    for (const { path } of commit.changes) {
      const unit = units.path(path);
      // A merge puts together what its parents have; it is no change of its own unless it is all there is.
      if (unit !== undefined && !(isMerge && stamps.has(unit)))
        note(unit, last, { op: 'other', commit: commit.id });
    }
  }
  return {
    of: (unit) => stamps.get(unit) ?? last,
    changesOf: (unit) => changes.get(unit) ?? [],
    isWhole: others === 0 && stamps.size === units.count,
  };
}
