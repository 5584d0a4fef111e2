/** Merge type of any JSON value: objects by field, arrays by item, the rest as a whole. */

import { mergeCounter } from './merge-counter.ts';
import { mergeList } from './merge-list.ts';
import { mergeMap } from './merge-map.ts';
import { mergeScalar } from './merge-scalar.ts';
import { type Merge, whenBothChanged } from './merge-type.ts';
import { isJsonObject, isSameJson } from './same-json.ts';

const mergeFields = mergeMap<unknown>((base, ours, theirs, context) =>
  mergeJson(base, ours, theirs, context),
);
const mergeWhole = mergeScalar<unknown>();

/**
 * Numbers add up only when both sides changed the memory by nothing but increments: a price of 5 that one
 * set to 7 and another to 8 is not 10.
 */
export const mergeJson: Merge<unknown> = (base, ours, theirs, context) => {
  if (typeof ours === 'number' && typeof theirs === 'number' && context.isCount) {
    if (base === undefined || typeof base === 'number') return mergeCounter(base, ours, theirs, context);
  }
  if (isJsonObject(ours) && isJsonObject(theirs)) {
    return mergeFields(isJsonObject(base) ? base : undefined, ours, theirs, context);
  }
  if (context.isCount && Array.isArray(base) && Array.isArray(ours) && Array.isArray(theirs)) {
    // Increments reach into lists, but make none longer.
    if (ours.length === base.length && theirs.length === base.length) {
      const { value, conflicts } = mergeFields(toFields(base), toFields(ours), toFields(theirs), context);
      return { value: Array.from(ours, (_, i) => value[i]), conflicts };
    }
  }
  return mergeRest(base, ours, theirs, context);
};

function toFields(items: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(items.entries());
}

const mergeRest = whenBothChanged<unknown>(isSameJson, (base, ours, theirs, context) => {
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    return mergeList(Array.isArray(base) ? base : undefined, ours, theirs, context);
  }
  return mergeWhole(base, ours, theirs, context);
});
