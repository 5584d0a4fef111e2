/** Merge type of a whole memory: tags as a set, the later expiry, the value by what it is. */

import type { SealableFile } from '../encryption/file-codec.ts';
import { type MemoryFile, kindOf } from '../files/memory-file.ts';
import { mergeJson } from './merge-json.ts';
import { mergeSet } from './merge-set.ts';
import { mergeText } from './merge-text.ts';
import { type Merge, type MergeContext, type Merged, agreed, newerOf } from './merge-type.ts';

/** Memories that are there on both sides, by their parts; one that changed its type on one side is a whole. */
export const mergeMemoryFile: Merge<SealableFile> = (base, ours, theirs, context) => {
  const { value, conflicts } = mergeValue(base, ours, theirs, context);
  const tags = mergeSet(base?.tags, ours.tags, theirs.tags, context).value;
  const expiresMs = mergeExpiry(base, ours.expiresMs, theirs.expiresMs);
  const place = mergePlace(base, ours, theirs, context);
  const subjectKid = mergeSubject(ours.subjectKid, theirs.subjectKid, context);
  const file = {
    tags,
    value,
    ...(expiresMs !== undefined && { expiresMs }),
    ...place,
    ...(subjectKid !== undefined && { subjectKid }),
  };
  return { value: file, conflicts };
};

/** Thread and place in it belong together: those of the side that changed them, else of the newer one. */
function mergePlace(
  base: SealableFile | undefined,
  ours: SealableFile,
  theirs: SealableFile,
  context: MergeContext,
): Pick<MemoryFile, 'thread' | 'sequence'> {
  const isSame = (a: SealableFile, b: SealableFile) => a.thread === b.thread && a.sequence === b.sequence;
  const newer = context.newer === 'ours' ? ours : theirs;
  const { thread, sequence } = base && isSame(base, newer) ? (newer === ours ? theirs : ours) : newer;
  return { ...(thread !== undefined && { thread }), ...(sequence !== undefined && { sequence }) };
}

/** Whose data it is on one side it stays; of two subjects the newer side's. */
function mergeSubject(ours: string | undefined, theirs: string | undefined, { newer }: MergeContext) {
  return newer === 'ours' ? (ours ?? theirs) : (theirs ?? ours);
}

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
