/** Takes a snapshot that was pushed: a new name for a commit of main, never a change of an old one. */

import { snapshotNameShape } from '../../kernel/memory/shapes.ts';
import { isReachable } from '../git/landing.ts';
import { readMain } from '../git/move-ref.ts';
import type { Git } from '../git/run-git.ts';
import { snapshotRefs } from '../versions/snapshots.ts';
import { type PushCommand, noId } from './push-command.ts';
import type { RefAnswer } from './push-report.ts';

/** Makes the ref, or says why not. Throws GIT_FAILED. */
export async function takeSnapshot(git: Git, { ref, to }: PushCommand): Promise<RefAnswer> {
  const name = ref.slice(snapshotRefs.length);
  const parsed = snapshotNameShape.safeParse(name);
  if (!parsed.success || name !== name.normalize('NFC')) {
    return { ref, problem: `the name ${parsed.error?.issues[0]?.message ?? 'must be in Unicode NFC'}` };
  }
  const known = await readSnapshotRefs(git);
  const same = known.get(ref);
  if (same === to) return { ref };
  if (same !== undefined) return { ref, problem: 'there is a snapshot of this name; names never move' };
  const folded = ref.toLowerCase();
  if ([...known.keys()].some((other) => other.toLowerCase() === folded)) {
    return { ref, problem: 'there is a snapshot whose name differs only by case' };
  }
  const commit = await git.run(['rev-parse', '--verify', '--quiet', `${to}^{commit}`]).then(
    (out) => out.toString('latin1').trim(),
    () => undefined,
  );
  const isOnMain = commit !== undefined && (await isReachable(git, commit, readMain(git.repositoryDir)));
  if (!isOnMain) return { ref, problem: 'it does not name a commit of main; push main with it' };
  await git.run(['update-ref', ref, to, noId]);
  return { ref };
}

/** Refs of all snapshots, with the ids that they hold. */
export async function readSnapshotRefs(git: Git): Promise<Map<string, string>> {
  const out = await git.run(['for-each-ref', '--format=%(objectname) %(refname)', snapshotRefs]);
  const rows = out.toString('utf8').split('\n').filter(Boolean);
  return new Map(rows.map((row) => [row.slice(41), row.slice(0, 40)]));
}
