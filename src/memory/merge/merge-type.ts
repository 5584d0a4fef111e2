/**
 * What a merge type is: a function of a common ancestor and two sides. Merge types are put together from
 * smaller ones, and none of them cares which side is called ours: swapping the sides (and the context with
 * them) gives the same value and the same conflicts.
 */

/** Why both changes could not be kept at one place. */
export type ConflictKind = 'value' | 'deleted' | 'text' | 'list' | 'type' | 'manual' | 'file' | 'path';

/** One place inside a value where a side lost. */
export interface PlaceConflict {
  readonly kind: ConflictKind;
  /** JSON Pointer (RFC 6901) into the value; empty for all of it. */
  readonly pointer: string;
}

/** What a merge of one memory knows about its two sides. */
export interface MergeContext {
  /** The side whose last change is newer: it wins where only one can. */
  readonly newer: 'ours' | 'theirs';
  /** True when both sides changed it by increments only: numbers add up. */
  readonly isCount: boolean;
  /** True when both sides changed it by appends only: text of both is kept. */
  readonly isAppend: boolean;
}

export interface Merged<T> {
  readonly value: T;
  readonly conflicts: readonly PlaceConflict[];
}

/** Merges two sides that come from `base`, which is undefined when there was nothing. */
export type Merge<T> = (base: T | undefined, ours: T, theirs: T, context: MergeContext) => Merged<T>;

/** A value that no side lost. */
export function agreed<T>(value: T): Merged<T> {
  return { value, conflicts: [] };
}

/** The newer side, and a conflict that says so. */
export function newerOf<T>(ours: T, theirs: T, context: MergeContext, kind: ConflictKind): Merged<T> {
  return { value: context.newer === 'ours' ? ours : theirs, conflicts: [{ kind, pointer: '' }] };
}

/** Leaves to `merge` only what both sides changed, and not in the same way. */
export function whenBothChanged<T>(isSame: (a: T, b: T) => boolean, merge: Merge<T>): Merge<T> {
  return (base, ours, theirs, context) => {
    if (isSame(ours, theirs)) return agreed(ours);
    if (base !== undefined && isSame(base, ours)) return agreed(theirs);
    if (base !== undefined && isSame(base, theirs)) return agreed(ours);
    return merge(base, ours, theirs, context);
  };
}
