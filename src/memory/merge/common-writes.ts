/**
 * Writes that both sides made, in different commits. That is what a copy of a data folder with a waiting journal leads
 * to, when the copies commit in other groups: Git does not see that they are the same, their trailers do.
 */

import type { ObjectReader } from '../git/object-reader.ts';
import type { UnitChange } from './stamps.ts';
import type { TreeFile } from './tree-changes.ts';

/** What both sides have of a unit since the commits' own base. */
export interface CommonWrites {
  /** The file after the last common write, which is what both sides changed from; undefined when it deleted. */
  readonly base: { readonly path: string; readonly file: TreeFile } | undefined;
  readonly isCommon: (change: UnitChange) => boolean;
}

/** Undefined when the sides have no write in common, as nearly always, or left different values after it. */
export async function findCommonWrites(
  reader: ObjectReader,
  paths: Iterable<string>,
  ours: readonly UnitChange[],
  theirs: readonly UnitChange[],
): Promise<CommonWrites | undefined> {
  const ourCommits = commitsByWrite(ours);
  const theirCommits = commitsByWrite(theirs);
  const isCommon = ({ write = '' }: UnitChange): boolean => ourCommits.has(write) && theirCommits.has(write);
  const last = ours.findLast(isCommon);
  const theirCommit = theirCommits.get(last?.write ?? '');
  if (!last || theirCommit === undefined) return undefined;
  const sorted = [...paths].toSorted();
  const [left, right] = await Promise.all(
    [last.commit, theirCommit].map((commit) => readFiles(reader, commit, sorted)),
  );
  const [file, second] = left ?? [];
  const isSame = left?.length === right?.length && file?.file.id === right?.[0]?.file.id;
  return isSame && !second ? { base: file, isCommon } : undefined;
}

function commitsByWrite(changes: readonly UnitChange[]): Map<string, string> {
  return new Map(
    changes.flatMap(({ write, commit }) => (write === undefined ? [] : [[write, commit] as const])),
  );
}

async function readFiles(reader: ObjectReader, commit: string, paths: readonly string[]) {
  const found: { readonly path: string; readonly file: TreeFile }[] = [];
  for (const path of paths) {
    const object = await reader.read(`${commit}:${path}`);
    if (!object || object === 'ambiguous' || object.type !== 'blob') continue;
    found.push({ path, file: { mode: '100644', id: object.id } });
  }
  return found;
}
