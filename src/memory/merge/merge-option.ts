/** Merge type of what may be missing: a deletion against a change keeps the change, and says so. */

import { type Merge, agreed } from './merge-type.ts';
import { isSameJson } from './same-json.ts';

/** The merge type of `T` for a `T` that may be undefined. */
export function mergeOption<T>(merge: Merge<T>): Merge<T | undefined> {
  return (base, ours, theirs, context) => {
    if (ours !== undefined && theirs !== undefined) return merge(base, ours, theirs, context);
    const rest = ours === undefined ? theirs : ours;
    if (rest === undefined || base === undefined) return agreed(rest);
    if (isSameJson(base, rest)) return agreed(undefined);
    return { value: rest, conflicts: [{ kind: 'deleted', pointer: '' }] };
  };
}
