/** Merge type of sets of names: what either side added is in, what either side took out is out. */

import { type Merge, agreed } from './merge-type.ts';

/** Sets as sorted arrays, such as tags; they have no conflicts. */
export const mergeSet: Merge<readonly string[]> = (base = [], ours, theirs) => {
  const [before, left, right] = [new Set(base), new Set(ours), new Set(theirs)];
  const all = [...new Set([...ours, ...theirs])];
  const isIn = (name: string) => (before.has(name) ? left.has(name) && right.has(name) : true);
  return agreed(all.filter(isIn).toSorted());
};
