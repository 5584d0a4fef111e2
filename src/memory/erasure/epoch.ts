/**
 * The epoch of the repository's history: it grows when history was rewritten, and lists the commits that must
 * not come back. A partner or a clone that still has one of them behind its head must be cloned again.
 */

import { z } from 'zod';
import type { Git } from '../git/run-git.ts';

/** Names a blob of JSON, `{epoch, erased}`. Like all of `refs/git-memory` nobody can push to it. */
export const epochRef = 'refs/git-memory/epoch';

const epochShape = z.object({
  epoch: z.int().min(1),
  erased: z.array(z.string().regex(/^[0-9a-f]{40}$/)),
});

/** What was rewritten so far. */
export interface Epoch {
  /** 0 as long as nothing was rewritten. */
  readonly epoch: number;
  /** Every erased head has one of these commits behind it, or is one. */
  readonly erased: readonly string[];
}

/** The epoch that the repository is in. Throws GIT_FAILED for a damaged one. */
export async function readEpoch(git: Git): Promise<Epoch> {
  const names = (await git.run(['for-each-ref', '--format=%(refname)', epochRef])).toString('utf8');
  if (names.trim() !== epochRef) return { epoch: 0, erased: [] };
  return epochShape.parse(JSON.parse((await git.run(['cat-file', 'blob', epochRef])).toString('utf8')));
}

/** Stores an epoch as a blob and returns its id; the ref is moved with the others. */
export async function writeEpoch(git: Git, epoch: Epoch): Promise<string> {
  const text = `${JSON.stringify(epoch)}\n`;
  return (await git.run(['hash-object', '-w', '--stdin'], text)).toString('latin1').trim();
}

/**
 * True when `head`, a commit that is in this repository (fetched, not yet merged), has erased history behind it.
 * Whoever takes commits from elsewhere asks this first and refuses them: a merge would bring back what was
 * forgotten. Throws GIT_FAILED.
 */
export async function isOldEpoch(git: Git, head: string): Promise<boolean> {
  const { erased } = await readEpoch(git);
  if (erased.length === 0) return false;
  const out = await git.run(
    ['cat-file', '--batch-check=%(objectname) %(objecttype)'],
    `${erased.join('\n')}\n`,
  );
  const here = out.toString('latin1').match(/^[0-9a-f]{40}(?= commit$)/gm) ?? [];
  for (const commit of here) {
    if ((await git.exitCode(['merge-base', '--is-ancestor', commit, head])) === 0) return true;
  }
  return false;
}
