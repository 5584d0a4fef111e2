/** All files of a commit, in the order of the bytes of their paths. */

import type { Git } from './run-git.ts';
import { splitAtNul, streamGit } from './stream-git.ts';

export interface TreeFile {
  readonly path: string;
  readonly blobId: string;
  readonly bytes: number;
}

/** Streams the regular files of a commit; paths that are no UTF-8 are left out. Throws GIT_FAILED. */
export async function* listTree(git: Git, commit: string): AsyncGenerator<TreeFile> {
  const args = ['ls-tree', '-r', '-z', '--long', '--full-tree', commit];
  for await (const row of splitAtNul(streamGit(git, args))) {
    const file = parseRow(row);
    if (file) yield file;
  }
}

/** `<mode> blob <id> <size>\t<path>`; links and submodules are no files. */
function parseRow(row: string): TreeFile | undefined {
  const [, blobId, bytes, path] = /^100\d{3} blob ([0-9a-f]{40}) +(\d+)\t([\s\S]+)$/.exec(row) ?? [];
  if (blobId === undefined || path === undefined || path.includes('\u{fffd}')) return undefined;
  return { path, blobId, bytes: Number(bytes) };
}
