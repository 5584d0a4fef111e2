/** Files of one side that are folders of the other. */

import type { ConflictRecord } from './conflict-record.ts';
import type { TreeChange } from './tree-changes.ts';
import { blobId } from '../files/memory-file.ts';

interface Collision {
  readonly path: string;
  readonly conflict: Omit<ConflictRecord, 'merged' | 'commits'>;
}

type Edits = ReadonlyMap<string, { readonly content: Buffer | string } | null>;

/** The files among what both sides put that stand where a folder has to be: the folder stays, having more. */
export function findCollisions(ours: ReadonlyMap<string, TreeChange>, edits: Edits): Collision[] {
  const blobs = new Map<string, string>();
  for (const [path, { after }] of ours) if (after) blobs.set(path, after.id);
  for (const [path, edit] of edits) {
    if (edit === null) blobs.delete(path);
    else blobs.set(path, typeof edit.content === 'string' ? edit.content : blobId(edit.content));
  }
  const lost = new Map<string, string>();
  for (const path of blobs.keys()) {
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at);
      const blob = blobs.get(folder);
      if (blob !== undefined) lost.set(folder, blob);
    }
  }
  return [...lost].map(([path, blob]) => {
    const nobody = { path, atMs: 0, actor: '' };
    const [winner, loser] = [
      { blob: null, ...nobody },
      { blob, ...nobody },
    ];
    return { path, conflict: { kind: 'path', path, winner, loser, base: null, fields: [''] } };
  });
}
