/** Finds the conflict records of a commit's tree. */

import { identifyFile, needsStoredKey, scopeFolder } from '../files/key-path.ts';
import type { Git } from '../git/run-git.ts';
import { conflictFolder, conflictIdOf } from './conflict-record.ts';

/** A record in the tree. */
export interface ConflictFile {
  readonly path: string;
  readonly id: string;
  readonly blob: string;
}

/** All records, or those of a scope, by path. Throws GIT_FAILED. */
export async function listConflictFiles(git: Git, commit: string, scope?: string): Promise<ConflictFile[]> {
  const folder = scope === undefined ? conflictFolder : `${conflictFolder}/${scopeFolder(scope)}`;
  const out = await git.run(['ls-tree', '-r', '-z', '--full-tree', commit, '--', `${folder}/`]);
  const rows = out.toString('utf8').split('\0').filter(Boolean);
  const files = rows.flatMap((row): ConflictFile[] => {
    const [, blob = '', path = ''] = /^100\d+ blob ([0-9a-f]{40})\t(.*)$/s.exec(row) ?? [];
    const id = conflictIdOf(path);
    return id === undefined ? [] : [{ path, id, blob }];
  });
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** True when the path alone does not rule out that the record is about a key that `isMeant`. */
export function mayBeAbout(file: ConflictFile, isMeant: (key: string) => boolean): boolean {
  const about = file.path.slice(conflictFolder.length + 1, file.path.lastIndexOf('/'));
  if (needsStoredKey(about)) return true;
  const identity = identifyFile(about);
  return identity !== undefined && isMeant(identity.key);
}
