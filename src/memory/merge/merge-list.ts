/** Merge type of JSON arrays, item by item. */

import { canonicalJson } from '../files/canonical-json.ts';
import { diff3, isSameLines } from './diff3.ts';
import { type Merge, whenBothChanged } from './merge-type.ts';
import { isSameJson } from './same-json.ts';

/**
 * Changes at different places are both kept, and so are additions at the same place, the older ones first.
 * Where both sides changed or removed the same items, the newer side's are kept, and that is a conflict.
 */
export const mergeList: Merge<readonly unknown[]> = whenBothChanged<readonly unknown[]>(
  isSameJson,
  (base = [], ours, theirs, context) => {
    const texts = (items: readonly unknown[]) => items.map((item) => canonicalJson(item));
    let isConflict = false;
    const merged = diff3(texts(base), texts(ours), texts(theirs)).flatMap((region) => {
      if (region.changedBy !== 'both') return region.changedBy === 'theirs' ? region.theirs : region.ours;
      const isOursNewer = context.newer === 'ours';
      const [older, newer] = isOursNewer ? [region.theirs, region.ours] : [region.ours, region.theirs];
      if (isSameLines(older, newer)) return newer;
      if (region.base.length === 0) return [...older, ...newer];
      isConflict = true;
      return newer;
    });
    const value = merged.map((text): unknown => JSON.parse(text));
    return { value, conflicts: isConflict ? [{ kind: 'list', pointer: '' }] : [] };
  },
);
