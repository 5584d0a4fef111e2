/** One consistent moment of the memory: where all refs stand, and what is acknowledged beyond them. */

import { findLanded, findLandedWrites, landingPath, readLandingFile } from '../git/landing.ts';
import type { Landing } from '../git/landing.ts';
import { mainRef } from '../git/repository.ts';
import type { Git } from '../git/run-git.ts';
import type { CommitLoop } from '../commit-loop.ts';
import { type WriteRecord } from '../write-record.ts';

export interface Ref {
  readonly name: string;
  readonly id: string;
}

export interface Capture {
  readonly atMs: number;
  readonly refs: readonly Ref[];
  /** Main among the refs; null when there is none. */
  readonly head: string | null;
  /** What of the journal main has behind it. */
  readonly landed: Landing | null;
  /** Acknowledged, and not behind main. */
  readonly waiting: readonly WriteRecord[];
  readonly lastSeq: number;
}

/**
 * Takes the moment between two commits, so that each acknowledged write is either behind main or waiting. Takes
 * milliseconds; writes go on meanwhile.
 */
export async function captureMemory(
  parts: { readonly git: Git; readonly loop: CommitLoop; readonly journalDir: string },
  now: () => number,
): Promise<Capture> {
  const { git, loop, journalDir } = parts;
  return loop.alone(async () => {
    const atMs = now();
    const pending = [...loop.pending];
    const refs = await readRefs(git);
    const head = refs.find(({ name }) => name === mainRef)?.id ?? null;
    const file = readLandingFile(landingPath(journalDir));
    const landed = file ? await findLanded(git, file, head) : await findLandedWrites(git, head, pending);
    const landedSeq = landed?.seq ?? 0;
    const waiting = pending.filter(({ seq }) => seq > landedSeq);
    return { atMs, refs, head, landed, waiting, lastSeq: waiting.at(-1)?.seq ?? landedSeq };
  });
}

/** All refs, sorted by name. */
export async function readRefs(git: Git): Promise<Ref[]> {
  const out = await git.run(['for-each-ref', '--format=%(objectname) %(refname)']);
  return out
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => ({ id: line.slice(0, 40), name: line.slice(41) }));
}
