/** Which files of all history, on every ref, belong to memories that are to be forgotten. */

import { storedKeyOf } from '../encryption/file-codec.ts';
import { identifyFile, needsStoredKey } from '../files/key-path.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import { type FileChange, readLog } from '../git/read-log.ts';
import type { Git } from '../git/run-git.ts';
import { conflictFolder, decodeConflict } from '../merge/conflict-record.ts';

/** True for a memory that is to be forgotten; keys are in NFC. */
export type IsForgotten = (scope: string, key: string) => boolean;

/** What merges left open: `conflicts/<path of the memory>/<id>.json`. */
const conflictsPrefix = `${conflictFolder}/`;

/** Paths of the repository that hold, or held, what is to be forgotten. */
export async function selectPaths(
  source: { readonly git: Git; readonly reader: ObjectReader },
  isForgotten: IsForgotten,
): Promise<Set<string>> {
  const seen = new Set<string>();
  const selected = new Set<string>();
  const conflicts: { path: string; about: string }[] = [];

  async function look({ path, blobId }: FileChange): Promise<void> {
    // A short name tells its key only by its content, and each content may name another one.
    const isShort = needsStoredKey(path) || path.startsWith(conflictsPrefix);
    if (selected.has(path) || (!isShort && seen.has(path))) return;
    seen.add(path);
    if (path.startsWith(conflictsPrefix)) {
      const about = path.slice(conflictsPrefix.length, path.lastIndexOf('/'));
      conflicts.push({ path, about });
      if (blobId !== null) await lookAtConflict(path, blobId);
      return;
    }
    const storedKey = isShort && blobId !== null ? await keyIn(path, blobId) : undefined;
    const identity = identifyFile(path, storedKey);
    if (identity && isForgotten(identity.scope, identity.key)) selected.add(path);
  }

  /** A record tells its key, also where the path of the memory is short. */
  async function lookAtConflict(path: string, blobId: string): Promise<void> {
    const object = await source.reader.read(blobId);
    const record = object && object !== 'ambiguous' ? decodeConflict(object.content) : undefined;
    if (record?.scope !== undefined && record.key !== undefined && isForgotten(record.scope, record.key))
      selected.add(path);
  }

  async function keyIn(path: string, blobId: string): Promise<string | undefined> {
    const object = await source.reader.read(blobId);
    return object && object !== 'ambiguous' ? storedKeyOf(path, object.content) : undefined;
  }

  for await (const commit of readLog(source.git, null, '--all')) {
    for (const change of commit.changes) await look(change);
  }
  for (const { path, about } of conflicts) {
    const identity = identifyFile(about);
    if (selected.has(about) || (identity && isForgotten(identity.scope, identity.key))) selected.add(path);
  }
  return selected;
}
