/** Takes memories out of all history of a repository: new objects, all refs at once, and the old objects gone. */

import { AppError } from '../../kernel/errors.ts';
import { createObjectReader } from '../git/object-reader.ts';
import type { Git } from '../git/run-git.ts';
import { epochRef, readEpoch, writeEpoch } from './epoch.ts';
import { listObjectFiles, purgeObjects } from './purge-objects.ts';
import { type RewrittenHistory, rewriteHistory } from './rewrite-history.ts';
import { type IsForgotten, selectPaths } from './select-paths.ts';

/** Memories of one scope; plain data, so that it can go to a thread and into a file. */
export interface EraseTarget {
  readonly scope: string;
  /** In NFC. */
  readonly keys: readonly string[];
  /** In NFC; empty for every key. Undefined for only those of `keys`. */
  readonly prefix?: string | undefined;
}

export interface EraseOutcome {
  /** Files that left the history. */
  readonly files: number;
  /** Commits that have another id now. */
  readonly commits: number;
  readonly refs: number;
  readonly epoch: number;
}

const maxAttempts = 10;

/** The test for a memory of a target. */
export function isForgottenBy({ scope, keys, prefix }: EraseTarget): IsForgotten {
  const named = new Set(keys);
  return (inScope, key) =>
    inScope === scope && (named.has(key) || (prefix !== undefined && key.startsWith(prefix)));
}

/** How many files of the history a target has. Throws GIT_FAILED. */
export async function countErased(git: Git, target: EraseTarget): Promise<number> {
  await using reader = createObjectReader(git);
  return (await selectPaths({ git, reader }, isForgottenBy(target))).size;
}

/**
 * Erases them. Nobody else of ours may write meanwhile; a push that moves a ref in between means another try. Once
 * the refs have moved, a second run only takes old objects away. Throws GIT_FAILED, DISK_FULL, STORAGE_FAILED.
 */
export async function eraseHistory(git: Git, target: EraseTarget): Promise<EraseOutcome> {
  const isForgotten = isForgottenBy(target);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const before = listObjectFiles(git.repositoryDir);
    await using reader = createObjectReader(git);
    const paths = await selectPaths({ git, reader }, isForgotten);
    const { epoch, erased } = await readEpoch(git);
    let outcome: EraseOutcome = { files: 0, commits: 0, refs: 0, epoch };
    if (paths.size > 0) {
      const history = await rewriteHistory({ git, reader, paths, isForgotten, onProgress: () => {} });
      const next = { epoch: epoch + 1, erased: [...erased, ...history.erased] };
      if (!(await moveAll(git, history, await writeEpoch(git, next)))) continue;
      const { moved, refs } = history;
      outcome = { files: paths.size, commits: moved.size, refs: refs.length, epoch: next.epoch };
    }
    // Windows removes no file that somebody has open.
    await reader.rest();
    await purgeObjects(git, before);
    return outcome;
  }
  throw new AppError('GIT_FAILED', { command: 'update-ref', problem: 'refs keep moving' });
}

/** All refs and the epoch in one transaction; false when one of them is not where it was. */
async function moveAll(git: Git, { refs }: RewrittenHistory, epochId: string): Promise<boolean> {
  const moves = refs.map(({ ref, from, to }) => `update ${ref} ${to} ${from}\n`).join('');
  const input = `start\n${moves}update ${epochRef} ${epochId}\nprepare\ncommit\n`;
  try {
    await git.run(['update-ref', '--stdin'], input);
    return true;
  } catch (error) {
    for (const { ref, from } of refs) {
      const now = (await git.run(['for-each-ref', '--format=%(objectname)', ref])).toString('latin1').trim();
      if (now !== from) return false;
    }
    throw error;
  }
}
