/** Merge type of text, line by line. */

import { diff3, isSameLines } from './diff3.ts';
import { type Merge, agreed, newerOf, whenBothChanged } from './merge-type.ts';

/**
 * Changes of different lines are both kept; of the same lines (or neighbours) the newer side's, and that is a
 * conflict. When both sides only appended, both additions are kept, the older one first.
 */
export const mergeText: Merge<string> = whenBothChanged<string>(
  (a, b) => a === b,
  (base, ours, theirs, context) => {
    if (context.isAppend && ours.startsWith(base ?? '') && theirs.startsWith(base ?? '')) {
      return agreed(appendBoth(base ?? '', ours, theirs, context.newer));
    }
    if (base === undefined) return newerOf(ours, theirs, context, 'text');
    let isConflict = false;
    const lines = diff3(base.split('\n'), ours.split('\n'), theirs.split('\n')).flatMap((region) => {
      if (region.changedBy !== 'both') return region.changedBy === 'theirs' ? region.theirs : region.ours;
      isConflict ||= !isSameLines(region.ours, region.theirs);
      return context.newer === 'ours' ? region.ours : region.theirs;
    });
    return { value: lines.join('\n'), conflicts: isConflict ? [{ kind: 'text', pointer: '' }] : [] };
  },
);

function appendBoth(base: string, ours: string, theirs: string, newer: 'ours' | 'theirs'): string {
  const [first, second] = newer === 'ours' ? [theirs, ours] : [ours, theirs];
  const addition = second.slice(base.length);
  const isOnOwnLine = first === '' || first.endsWith('\n') || addition.startsWith('\n');
  return first + (isOnOwnLine ? '' : '\n') + addition;
}
