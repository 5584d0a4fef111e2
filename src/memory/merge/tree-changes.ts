/** The files that differ between two commits. */

import type { Git } from '../git/run-git.ts';
import { rawPathMark } from '../git/tree-cache.ts';

/** What a tree has at a path. */
export interface TreeFile {
  /** Octal, as in the tree: `100644`, `100755`, `120000` (a link) or `160000` (a submodule). */
  readonly mode: string;
  readonly id: string;
}

export interface TreeChange {
  readonly before: TreeFile | undefined;
  readonly after: TreeFile | undefined;
}

/** The tree without files, which every repository has. */
export const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Changes from `from` to `to` by path. Throws GIT_FAILED. */
export async function readTreeChanges(git: Git, from: string, to: string): Promise<Map<string, TreeChange>> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', from, to, '--'];
  const out = await git.run(args);
  const changes = new Map<string, TreeChange>();
  for (let at = 0; at < out.length;) {
    const headEnd = out.indexOf(0, at);
    const pathEnd = out.indexOf(0, headEnd + 1);
    const [beforeMode = '', afterMode = '', before = '', after = ''] = out
      .toString('latin1', at + 1, headEnd)
      .split(' ');
    changes.set(toPath(out.subarray(headEnd + 1, pathEnd)), {
      before: toFile(beforeMode, before),
      after: toFile(afterMode, after),
    });
    at = pathEnd + 1;
  }
  return changes;
}

function toFile(mode: string, id: string): TreeFile | undefined {
  return mode === '000000' ? undefined : { mode, id };
}

/** A name that is no UTF-8 keeps its bytes, so that nothing is lost. */
function toPath(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return rawPathMark + bytes.toString('latin1');
  }
}

/** True for what can hold a memory or text: no link, no submodule. */
export function isRegularFile(file: TreeFile): boolean {
  return file.mode.startsWith('100');
}

/** True when both are there with the same content and mode, or both are not. */
export function isSameFile(a: TreeFile | undefined, b: TreeFile | undefined): boolean {
  return a?.id === b?.id && a?.mode === b?.mode;
}
