/** Merge type of a whole memory: tags as a set, the later expiry, the value by what it is. */

import { type MemoryFile, kindOf } from '../files/memory-file.ts';
import { mergeJson } from './merge-json.ts';
import { mergeSet } from './merge-set.ts';
import { mergeText } from './merge-text.ts';
import { type Merge, type Merged, agreed, newerOf } from './merge-type.ts';

/** Memories that are there on both sides, by their parts; one that changed its type on one side is a whole. */
export const mergeMemoryFile: Merge<MemoryFile> = (base, ours, theirs, context) => {
  const { value, conflicts } = mergeValue(base, ours, theirs, context);
  const tags = mergeSet(base?.tags, ours.tags, theirs.tags, context).value;
  const expiresMs = mergeExpiry(base, ours.expiresMs, theirs.expiresMs);
  return { value: { tags, value, ...(expiresMs !== undefined && { expiresMs }) }, conflicts };
};

const mergeValue = (
  base: MemoryFile | undefined,
  { value: ours }: MemoryFile,
  { value: theirs }: MemoryFile,
  context: Parameters<Merge<unknown>>[3],
): Merged<unknown> => {
  const before = base?.value;
  if (typeof ours === 'string' && typeof theirs === 'string') {
    return mergeText(typeof before === 'string' ? before : undefined, ours, theirs, context);
  }
  if (kindOf(ours) === kindOf(theirs)) {
    return mergeJson(typeof before === 'string' ? undefined : before, ours, theirs, context);
  }
  // One side has the type that it had: the other one's change counts, if this one made none.
  if (before !== undefined && before === ours) return agreed(theirs);
  if (before !== undefined && before === theirs) return agreed(ours);
  return newerOf(ours, theirs, context, 'type');
};

/** To forget too late is put right more easily than to forget too early; never is the latest. */
function mergeExpiry(base: MemoryFile | undefined, ours: number | undefined, theirs: number | undefined) {
  if (base && ours === base.expiresMs) return theirs;
  if (base && theirs === base.expiresMs) return ours;
  return ours === undefined || theirs === undefined ? undefined : Math.max(ours, theirs);
}
