/** The index and what is fresher than it, as one. */

import type { Fresh } from './fresh-text.ts';
import type { PostingsReader } from './postings.ts';

/** More than any number of fresh rows, so that the look at these is never cut. */
const noLimit = 1_000_000;

/** Of a fresh row only its fresh text counts. */
export function joinPostings(index: PostingsReader, { ids, postings: fresh }: Fresh): PostingsReader {
  return {
    read(form, limit) {
      const inIndex = index.read(form, limit);
      const inFresh = fresh.read(form, noLimit);
      const counts = new Map<number, number>();
      for (const [id, count] of inIndex.counts) if (!ids.has(id)) counts.set(id, count);
      const wasFresh = inIndex.counts.size - counts.size;
      let added = 0;
      for (const [id, count] of inFresh.counts) {
        if (!ids.has(id)) continue;
        added += 1;
        counts.set(id, count);
      }
      const { isCut } = inIndex;
      // The counts of a whole word that is cut are empty; the rows are found by matching.
      const isEmpty = isCut && !form.isPrefix;
      return {
        counts: isEmpty ? new Map<number, number>() : counts,
        memories: inIndex.memories - wasFresh + added,
        isCut,
      };
    },
    match(expression, limit) {
      const inFresh = fresh.match(expression, noLimit).filter((id) => ids.has(id));
      const inIndex = index.match(expression, limit + ids.size).filter((id) => !ids.has(id));
      return [...inFresh, ...inIndex].sort((one, other) => other - one).slice(0, limit);
    },
    lengthsOf(asked) {
      const isFresh = (id: number) => ids.has(id);
      const inFresh = fresh.lengthsOf(asked.filter(isFresh));
      return new Map([...index.lengthsOf(asked.filter((id) => !isFresh(id))), ...inFresh]);
    },
    totals() {
      const { memories, averageLength } = index.totals();
      let words = memories * averageLength;
      let count = memories;
      const before = index.lengthsOf([...ids]);
      for (const [id, length] of fresh.lengthsOf([...ids])) {
        words += length - (before.get(id) ?? 0);
        if (!before.has(id)) count += 1;
      }
      return { memories: count, averageLength: count === 0 ? 1 : Math.max(1, words / count) };
    },
  };
}
