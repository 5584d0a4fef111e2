/** Sealed memories, opened into an index in memory: nothing of them is in the file of the index. */

import type { FileCodec } from '../encryption/file-codec.ts';
import type { IndexReader } from '../index/index-reader.ts';
import { type MemoryIndex, createTemporaryIndex } from '../index/memory-index.ts';

export interface SealedSearch extends Disposable {
  /** The sealed memories as the rows have them now; undefined while there are none. */
  current(): IndexReader | undefined;
  /** Lets go of everything: what is asked for again is opened anew, with the keys that there are then. */
  forgetAll(): void;
}

const chunkRows = 500;

/** Follows the rows of `index`. */
export function createSealedSearch(index: IndexReader, codec: FileCodec): SealedSearch {
  let opened: MemoryIndex | undefined;
  let lastChange = 0;
  /** Where the entries of the rows are in `opened`. */
  const places = new Map<number, { readonly scope: string; readonly key: string }>();

  /** Takes in one chunk of changes; false when there was nothing new. */
  function follow(): boolean {
    const changes = index.sealedAfter(lastChange, chunkRows);
    const last = changes.at(-1);
    if (!last) return false;
    opened ??= createTemporaryIndex(codec);
    const target = opened;
    target.transaction(() => {
      for (const { entryId, entry } of changes) {
        const before = places.get(entryId);
        if (before) target.remove(before.scope, before.key);
        places.delete(entryId);
        if (!entry) continue;
        target.put(entry);
        places.set(entryId, { scope: entry.scope, key: entry.key });
      }
      target.writeText(2 * chunkRows);
    });
    lastChange = last.change;
    return true;
  }

  function forgetAll(): void {
    opened?.[Symbol.dispose]();
    opened = undefined;
    lastChange = 0;
    places.clear();
  }

  return {
    current() {
      while (follow());
      return opened;
    },
    forgetAll,
    [Symbol.dispose]: forgetAll,
  };
}
