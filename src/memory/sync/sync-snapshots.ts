/** Which snapshots go over to the other side: names that it does not have. Nothing is overwritten or deleted. */

import { snapshotNameShape } from '../../kernel/memory/shapes.ts';
import { isReachable } from '../git/landing.ts';
import { readMain } from '../git/move-ref.ts';
import type { Git } from '../git/run-git.ts';
import { snapshotRefs } from '../versions/snapshots.ts';
import { readSnapshotRefs } from './take-snapshot.ts';

/** Snapshots of the remote that are not here and stand for a commit of main. */
export async function fetchableSnapshots(
  git: Git,
  remote: ReadonlyMap<string, string>,
): Promise<{ readonly wanted: readonly string[]; readonly notes: readonly string[] }> {
  const here = await readSnapshotRefs(git);
  const folded = new Set([...here.keys()].map((ref) => ref.toLowerCase()));
  const main = readMain(git.repositoryDir);
  const wanted: string[] = [];
  const notes: string[] = [];
  for (const [ref, id] of remote) {
    if (!ref.startsWith(snapshotRefs) || ref.endsWith('^{}')) continue;
    const name = ref.slice(snapshotRefs.length);
    const own = here.get(ref);
    if (own === id) continue;
    if (own !== undefined) notes.push(`the snapshot ${name} stands for something else there; both stay`);
    if (own !== undefined || folded.has(ref.toLowerCase())) continue;
    const isNamed = snapshotNameShape.safeParse(name).success && name === name.normalize('NFC');
    const commit = remote.get(`${ref}^{}`) ?? id;
    if (!isNamed || !(await isReachable(git, commit, main))) continue;
    wanted.push(ref);
    folded.add(ref.toLowerCase());
  }
  return { wanted, notes };
}

/** Snapshots here that the remote does not have. */
export async function pushableSnapshots(git: Git, remote: ReadonlyMap<string, string>): Promise<string[]> {
  return [...(await readSnapshotRefs(git)).keys()].filter((ref) => !remote.has(ref));
}
