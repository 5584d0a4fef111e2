/** Merge type of counters: what both sides added is added. */

import { type Merge, agreed, newerOf, whenBothChanged } from './merge-type.ts';

/**
 * Numbers by difference; one that was missing was 0. A sum that is no exact number is a conflict. Two sides
 * that added the same came to the same number by different increments, so there is no shortcut for equality.
 */
export const mergeCounter: Merge<number> = (base = 0, ours, theirs, context) => {
  const sum = ours + theirs - base;
  const isWhole = [base, ours, theirs].every(Number.isInteger);
  if (Number.isFinite(sum) && (!isWhole || Number.isSafeInteger(sum))) return agreed(sum);
  return whenBothChanged<number>(Object.is, (_, a, b) => newerOf(a, b, context, 'value'))(
    base,
    ours,
    theirs,
    context,
  );
};
