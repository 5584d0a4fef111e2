/** Where a memory's file goes: once made, it stays where it is, so that `git log -- <path>` tells its whole story. */

import { addFanOut, fanOutLevels, removeFanOut } from './files/fan-out.ts';
import { flatFolder, keyPath, siblingPaths } from './files/key-path.ts';
import type { IndexReader } from './index/index-reader.ts';

export interface Placement {
  /**
   * A path for the memory, with either ending. The one that it has stays, unless a person chose a name that is
   * not ours; a new one goes deeper in a folder that is big.
   */
  pathOf(scope: string, key: string, currentPath: string | undefined): string;
  /** A file goes. */
  removed(path: string): void;
}

/** A folder's count is asked for again after so many new files: others may have put or taken some. */
const recountAfter = 1024;
const maxKnownFolders = 1000;

/** Places files by what the index counted and what came through here since. */
export function createPlacement(rows: Pick<IndexReader, 'filesIn' | 'versions'>): Placement {
  const known = new Map<string, { files: number; placed: number }>();

  /** Files that the folder holds before one more is placed in it. */
  function countIn(folder: string): number {
    let one = known.get(folder);
    if (!one || one.placed === recountAfter) {
      if (known.size >= maxKnownFolders) known.clear();
      one = { files: rows.filesIn(folder), placed: 0 };
      known.set(folder, one);
    }
    one.placed += 1;
    return one.files++;
  }

  return {
    pathOf(scope, key, currentPath) {
      const flat = keyPath(scope, key, 'json');
      const isOurs = (path: string) => siblingPaths(removeFanOut(path).path)[0] === flat;
      if (currentPath !== undefined && isOurs(currentPath)) return currentPath;
      const levels = fanOutLevels(countIn(flat.slice(0, flat.lastIndexOf('/'))));
      if (levels === 0) return flat;
      const former = rows.versions.last(scope, key)?.path;
      return former !== undefined && isOurs(former) ? former : addFanOut(flat, key, levels);
    },
    removed(path) {
      const one = known.get(flatFolder(path));
      if (one) one.files -= 1;
    },
  };
}
