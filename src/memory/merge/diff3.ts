/** Three-way comparison of lists of lines (diff3). */

import { diffLines } from '../versions/text-diff.ts';

/** A part of the base and what became of it on both sides. */
export interface Region {
  /** Which sides changed it. */
  readonly changedBy: 'none' | 'ours' | 'theirs' | 'both';
  readonly base: readonly string[];
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** Lines `start` to `end` of the base (without `end`) replaced by others. */
interface Hunk {
  readonly start: number;
  end: number;
  readonly lines: string[];
}

/**
 * The whole base in order. Changes of the two sides that touch each other are one region, as in Git: with no
 * line between them nobody knows which goes first.
 */
export function diff3(base: readonly string[], ours: readonly string[], theirs: readonly string[]): Region[] {
  const left = hunksOf(base, ours);
  const right = hunksOf(base, theirs);
  const regions: Region[] = [];
  let at = 0;
  const addSame = (end: number) => {
    const lines = base.slice(at, end);
    if (end > at) regions.push({ changedBy: 'none', base: lines, ours: lines, theirs: lines });
  };
  while (left.length > 0 || right.length > 0) {
    const start = Math.min(left[0]?.start ?? Infinity, right[0]?.start ?? Infinity);
    const { mine, others, end } = takeTouching(left, right, start);
    addSame(start);
    at = end;
    regions.push({
      changedBy: others.length === 0 ? 'ours' : mine.length === 0 ? 'theirs' : 'both',
      base: base.slice(start, end),
      ours: apply(base, mine, start, end),
      theirs: apply(base, others, start, end),
    });
  }
  addSame(base.length);
  return regions;
}

/** Takes the hunks from both queues that begin at `start` or touch one that was taken. */
function takeTouching(left: Hunk[], right: Hunk[], start: number) {
  const mine: Hunk[] = [];
  const others: Hunk[] = [];
  let end = start;
  for (let found = true; found;) {
    found = false;
    for (const [queue, taken] of [
      [left, mine],
      [right, others],
    ] as const) {
      while (queue[0] && queue[0].start <= end) {
        const [hunk] = queue.splice(0, 1);
        if (!hunk) break;
        taken.push(hunk);
        end = Math.max(end, hunk.end);
        found = true;
      }
    }
  }
  return { mine, others, end };
}

function apply(base: readonly string[], hunks: readonly Hunk[], start: number, end: number): string[] {
  const out: string[] = [];
  let at = start;
  for (const hunk of hunks) {
    out.push(...base.slice(at, hunk.start), ...hunk.lines);
    at = hunk.end;
  }
  return [...out, ...base.slice(at, end)];
}

function hunksOf(base: readonly string[], side: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [];
  let at = 0;
  let open: Hunk | undefined;
  for (const { mark, text } of diffLines(base, side)) {
    if (mark === ' ') {
      at += 1;
      open = undefined;
      continue;
    }
    if (!open) hunks.push((open = { start: at, end: at, lines: [] }));
    if (mark === '+') open.lines.push(text);
    else open.end = at += 1;
  }
  return hunks;
}

/** True when both have the same lines. */
export function isSameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}
