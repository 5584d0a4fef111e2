/** Unified diff of two texts by line (Myers, with three lines of context). */

const context = 3;
/** Texts that differ in more lines are shown as replaced between their common ends. */
const maxEdits = 1500;

/** A line of a comparison. */
export interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** A patch as `diff -u` writes it, empty when the texts are equal. Lines keep what ends them. */
export function diffText(before: string, after: string, name: string): string {
  if (before === after) return '';
  const lines = diffLines(splitLines(before), splitLines(after));
  const label = name.replaceAll(/\p{Cc}/gu, '?');
  return `--- a/${label}\n+++ b/${label}\n${toHunks(lines).join('')}`;
}

/** Lines with their line feeds; only the last may have none. */
function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** Both texts by line: kept, taken away or added. */
export function diffLines(before: readonly string[], after: readonly string[]): Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (text: string): Line => ({ mark: ' ', text });
  return [
    ...before.slice(0, head).map(same),
    ...diffMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** Myers' greedy algorithm: the furthest point on each diagonal by number of edits, then the way back. */
function diffMiddle(a: readonly string[], b: readonly string[]): Line[] {
  const replaced = (): Line[] => [
    ...a.map((text): Line => ({ mark: '-', text })),
    ...b.map((text): Line => ({ mark: '+', text })),
  ];
  if (a.length === 0 || b.length === 0) return replaced();
  const limit = Math.min(a.length + b.length, maxEdits);
  const trace: Int32Array[] = [];
  const furthest = new Int32Array(2 * limit + 3);
  const middle = limit + 1;
  for (let edits = 0; edits <= limit; edits++) {
    trace.push(furthest.slice(middle - edits - 1, middle + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const at = middle + k;
      let x = goesDown(furthest, at, k, edits) ? (furthest[at + 1] ?? 0) : (furthest[at - 1] ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      furthest[at] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace);
    }
  }
  return replaced();
}

/** True when the furthest way to diagonal `k`, held at `at`, is an added line rather than a removed one. */
function goesDown(furthest: Int32Array, at: number, k: number, edits: number): boolean {
  return k === -edits || (k !== edits && (furthest[at - 1] ?? 0) < (furthest[at + 1] ?? 0));
}

function walkBack(a: readonly string[], b: readonly string[], trace: readonly Int32Array[]): Line[] {
  const lines: Line[] = [];
  let x = a.length;
  let y = b.length;
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    // The slice of step `edits` holds diagonals from -edits - 1 to edits + 1.
    const furthest = trace[edits] ?? new Int32Array(3);
    const k = x - y;
    const at = edits + 1 + k;
    const down = goesDown(furthest, at, k, edits);
    const fromX = edits === 0 ? 0 : (furthest[down ? at + 1 : at - 1] ?? 0);
    const fromY = edits === 0 ? 0 : fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY) {
      lines.push({ mark: ' ', text: a[--x] ?? '' });
      y -= 1;
    }
    if (edits === 0) break;
    if (x > fromX) lines.push({ mark: '-', text: a[--x] ?? '' });
    else lines.push({ mark: '+', text: b[--y] ?? '' });
  }
  return lines.toReversed();
}

function toHunks(lines: readonly Line[]): string[] {
  const hunks: string[] = [];
  let beforeLine = 1;
  let afterLine = 1;
  let at = 0;
  while (at < lines.length) {
    if (lines[at]?.mark === ' ') {
      at += 1;
      beforeLine += 1;
      afterLine += 1;
      continue;
    }
    const start = Math.max(0, at - context);
    const end = hunkEnd(lines, at);
    const part = lines.slice(start, end);
    const lead = at - start;
    const removed = part.filter((line) => line.mark !== '+').length;
    const added = part.filter((line) => line.mark !== '-').length;
    hunks.push(`@@ -${span(beforeLine - lead, removed)} +${span(afterLine - lead, added)} @@\n`);
    hunks.push(...part.map(printLine));
    beforeLine += removed - lead;
    afterLine += added - lead;
    at = end;
  }
  return hunks;
}

/** Behind the last change that is closer to its neighbour than two contexts, and its context. */
function hunkEnd(lines: readonly Line[], from: number): number {
  let last = from;
  for (let i = from; i < lines.length && i - last <= context * 2; i++) if (lines[i]?.mark !== ' ') last = i;
  return Math.min(lines.length, last + 1 + context);
}

/** An empty side starts at the line before it, as in `diff -u`. */
function span(start: number, count: number): string {
  return `${count === 0 ? start - 1 : start},${count}`;
}

function printLine(line: Line): string {
  const end = line.text.endsWith('\n') ? '' : '\n\\ No newline at end of file\n';
  return `${line.mark}${line.text}${end}`;
}
