/**
 * How far Git has come: which journal sequence is in which commit. The file is written before the ref
 * moves; after a crash the attempt counts if its commit is reachable from main. A trailer alone would not
 * do: anyone who may push can write one.
 */

import { readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { committerEmail, decodeTrailers } from './commit-message.ts';
import { syncFolderNow, writeDurably } from './pack-files.ts';
import type { Git } from './run-git.ts';

/** A commit that holds all writes up to a sequence. */
export interface Landing {
  readonly seq: number;
  readonly commit: string;
}

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
    const data = JSON.parse(readFileSync(path, 'utf8')) as LandingFile;
    return { landed: data.landed, attempts: data.attempts };
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
 * What has landed when a run begins, with the file made if there is none: then (a restored backup, a
 * repository from elsewhere) the newest commit of ours tells.
 */
export async function openLanding(git: Git, path: string, head: string | null): Promise<Landing | null> {
  const file = readLandingFile(path);
  if (file) return findLanded(git, file, head);
  const landed = head === null ? null : await findByTrailer(git, head);
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

/** Commits of one flush need not be in the order of their sequences. */
const newestCommits = 500;

async function findByTrailer(git: Git, head: string): Promise<Landing | null> {
  const filter = ['--fixed-strings', `--committer=<${committerEmail}>`, '--grep=Memory-Seq: '];
  const out = await git.run(['log', `-${newestCommits}`, '--format=%H%n%B', ...filter, head]);
  const [commit = '', ...message] = out.toString('utf8').split('\n');
  const seqs = decodeTrailers(message.join('\n')).map((set) => set.seq);
  return commit === '' ? null : { commit, seq: Math.max(0, ...seqs) };
}
