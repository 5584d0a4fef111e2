/**
 * How far Git has come: which journal sequence is in which commit. The file is written before the ref
 * moves; after a crash the attempt counts if its commit is reachable from main.
 */

import { readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { WriteRecord } from '../write-record.ts';
import { committerEmail, trailerSetOf, trailerSetsIn } from './commit-message.ts';
import { syncFolderNow, writeDurably } from './pack-files.ts';
import { readLog } from './read-log.ts';
import type { Git } from './run-git.ts';

/** A commit that holds all writes up to a sequence. */
export interface Landing {
  readonly seq: number;
  readonly commit: string;
}

const landingShape = z.object({ seq: z.int(), commit: z.string() });
const fileShape = z.object({ landed: landingShape.nullable(), attempts: z.array(landingShape) });

export interface LandingFile {
  /** The last one known to be on main. */
  readonly landed: Landing | null;
  /** Tried since, outcome not yet known. */
  readonly attempts: readonly Landing[];
}

/** Where the file is, beside the journal's segments. */
export function landingPath(journalDir: string): string {
  return join(journalDir, 'landed.json');
}

/** The file's content; undefined when it is missing or unreadable. */
export function readLandingFile(path: string): LandingFile | undefined {
  try {
    return fileShape.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Replaces the file durably. */
export function writeLandingFile(path: string, content: LandingFile): void {
  writeDurably(`${path}.tmp`, Buffer.from(`${JSON.stringify(content)}\n`));
  renameSync(`${path}.tmp`, path);
  syncFolderNow(dirname(path));
}

/** Settles the attempts against `head`: the last one that main reaches has landed. */
export async function findLanded(git: Git, file: LandingFile, head: string | null): Promise<Landing | null> {
  for (const attempt of file.attempts.toReversed()) {
    if (await isReachable(git, attempt.commit, head)) return attempt;
  }
  return file.landed;
}

/**
 * What has landed of the journal's records when a run begins, with the file made anew if there is none: then (it was
 * lost or damaged, or the repository is from elsewhere) the commits tell.
 */
export async function openLanding(
  git: Git,
  path: string,
  head: string | null,
  records: readonly WriteRecord[],
): Promise<Landing | null> {
  const file = readLandingFile(path);
  if (file) return findLanded(git, file, head);
  const landed = await findLandedWrites(git, head, records);
  writeLandingFile(path, { landed, attempts: [] });
  return landed;
}

/** True when the repository has the commit and main, at `head`, has it behind it. */
export async function isReachable(git: Git, commit: string, head: string | null): Promise<boolean> {
  if (head === null) return false;
  if (commit === head) return true;
  // A commit that is not in the repository at all ends with 128.
  const exit = await git.exitCode(['merge-base', '--is-ancestor', commit, head]).catch(() => 1);
  return exit === 0;
}

/**
 * The last record of the journal that main, at `head`, has behind it; null when it has none. For when the file that
 * tells is lost. A commit holds a record when its trailers say all that the record says: sequences of merged replicas
 * and of pushed commits may be equal or greater, but not also agree in run and millisecond. Writes get into Git in the
 * order of the journal, so all before the last one are there too. Throws GIT_FAILED.
 */
export async function findLandedWrites(
  git: Git,
  head: string | null,
  records: readonly WriteRecord[],
): Promise<Landing | null> {
  if (head === null || records.length === 0) return null;
  const seqs = new Map(records.map((record) => [trailerSetOf(record), record.seq]));
  const sinceMs = records.reduce((least, { atMs }) => Math.min(least, atMs), Infinity);
  let landed: Landing | null = null;
  for await (const commit of readLog(git, null, head, { hasChanges: false, sinceMs })) {
    if (commit.committerEmail !== committerEmail) continue;
    for (const set of trailerSetsIn(commit.message)) {
      const seq = seqs.get(set);
      if (seq !== undefined && seq > (landed?.seq ?? 0)) landed = { seq, commit: commit.id };
    }
  }
  return landed;
}
