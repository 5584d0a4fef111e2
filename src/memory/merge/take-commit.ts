/** Brings another side's commit into main: nothing to do, main moved forward, or a merge. */

import { AppError } from '../../kernel/errors.ts';
import type { TakeOutcome } from '../git/git-writer.ts';
import { moveMain, readMain } from '../git/move-ref.ts';
import { installPack } from '../git/pack-files.ts';
import type { TreeCache } from '../git/tree-cache.ts';
import { type MergeParts, findMergeBases, mergeCommits } from './merge-commits.ts';
import type { StrategyOf } from './merge-strategy.ts';

/** Refs that keep a state before something odd was done to it. */
export const backupRefs = 'refs/git-memory/backup/';

const shownConflicts = 10;

interface TakeParts extends MergeParts {
  readonly strategyOf: StrategyOf;
}

interface TakeRequest {
  /** Where main is. */
  readonly main: string | null;
  readonly theirs: string;
  /** What the other side had when it was last seen. */
  readonly before?: string | undefined;
  /** Throws MERGE_CONFLICTS rather than record any. */
  readonly refusesConflicts?: boolean | undefined;
}

interface Taken {
  readonly outcome: TakeOutcome;
  /** The tree at the outcome's head, after a merge. */
  readonly tree?: TreeCache;
}

/** One try; undefined when main moved under it. `treeAt` gives a tree that may be changed. */
export async function tryTakeCommit(
  parts: TakeParts,
  request: TakeRequest,
  treeAt: (commit: string) => Promise<TreeCache>,
): Promise<Taken | undefined> {
  const { git } = parts;
  const { main } = request;
  const theirs = await findCommit(parts, request.theirs);
  const settled = (kind: TakeOutcome['kind'], head: string): Taken => ({
    outcome: { kind, head, base: main, conflicts: 0 },
  });
  const bases = main === null ? [] : await findMergeBases(git, main, theirs);
  if (bases.includes(theirs)) return settled('up-to-date', main ?? theirs);
  await backUpIfOdd(parts, request, bases);
  if (main === null || bases.includes(main)) {
    return moveMain(git.repositoryDir, main, theirs) ? settled('fast-forward', theirs) : undefined;
  }
  const sides = { ours: main, theirs, bases };
  const merge = await mergeCommits(parts, sides, await treeAt(main), parts.strategyOf);
  const { commit: head, conflicts, tree, records } = merge;
  if (request.refusesConflicts && conflicts > 0) {
    const places = records
      .slice(0, shownConflicts)
      .map(({ scope, key, path }) => (scope ? `${scope}/${key}` : path));
    throw new AppError('MERGE_CONFLICTS', { conflicts, keys: places.join(', '), records });
  }
  const pack = installPack(git.repositoryDir, merge.files, head);
  try {
    if (!moveMain(git.repositoryDir, main, head)) {
      pack.remove();
      return undefined;
    }
  } catch (error) {
    // The ref may have moved before the failure; then its pack must stay.
    if (readMain(git.repositoryDir) !== head) pack.remove();
    throw error;
  }
  pack.release();
  return { outcome: { kind: 'merged', head, base: main, conflicts, records }, tree };
}

async function findCommit({ reader }: MergeParts, name: string): Promise<string> {
  const found = /^[0-9a-f]{40}$/.test(name) ? await reader.read(`${name}^{commit}`) : undefined;
  if (found && found !== 'ambiguous') return found.id;
  throw new AppError('INVALID_INPUT', { field: 'commit', problem: 'is not a commit of the repository' });
}

/**
 * Keeps what might be missed later: main, when the other side shares no history with it or does not contain
 * any more what it had; and what it had, too.
 */
async function backUpIfOdd(
  { git, reader }: MergeParts,
  { main, theirs, before }: TakeRequest,
  bases: readonly string[],
): Promise<void> {
  const isUnrelated = main !== null && bases.length === 0;
  const had = before === undefined ? undefined : await reader.read(`${before}^{commit}`);
  const last = had && had !== 'ambiguous' ? had.id : undefined;
  const isRewritten =
    last !== undefined && (await git.exitCode(['merge-base', '--is-ancestor', last, theirs])) !== 0;
  if (!isUnrelated && !isRewritten) return;
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const kept = new Set([main, isRewritten ? last : undefined].flatMap((commit) => commit ?? []));
  const commands = Array.from(
    kept,
    (commit) => `update ${backupRefs}${time}-${commit.slice(0, 12)} ${commit}\n`,
  );
  await git.run(['update-ref', '--stdin'], commands.join(''));
}
