/** Merge type of values that have no parts: the newer change wins, the other one is a conflict. */

import { type ConflictKind, type Merge, newerOf, whenBothChanged } from './merge-type.ts';
import { isSameJson } from './same-json.ts';

/** Last writer wins; conflicts are of that kind. */
export function mergeScalar<T>(kind: ConflictKind = 'value'): Merge<T> {
  return whenBothChanged<T>(isSameJson, (_, ours, theirs, context) => newerOf(ours, theirs, context, kind));
}
