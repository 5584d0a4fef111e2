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
}

/**
 * Places files by what the index counts. It lags behind a burst of new files by as many as are not in its rows
 * yet, which then stay flat.
 */
export function createPlacement(rows: Pick<IndexReader, 'filesIn' | 'versions'>): Placement {
  return {
    pathOf(scope, key, currentPath) {
      const flat = keyPath(scope, key, 'json');
      const isOurs = (path: string) => siblingPaths(removeFanOut(path).path)[0] === flat;
      if (currentPath !== undefined && isOurs(currentPath)) return currentPath;
      const levels = fanOutLevels(rows.filesIn(flatFolder(flat)));
      if (levels === 0) return flat;
      const former = rows.versions.last(scope, key)?.path;
      return former !== undefined && isOurs(former) ? former : addFanOut(flat, key, levels);
    },
  };
}
