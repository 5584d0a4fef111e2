/** Line differences as a unified diff (GNU diffutils manual, section "Detailed Description of Unified Format"). */

type Edit = readonly [kind: ' ' | '-' | '+', line: string];

/** Beyond this many differing lines the middle is shown as replaced whole; the search would cost too much. */
const maxDistance = 1000;

/** The unified diff of two texts with three lines of context; empty when they are equal. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return '';
  const edits = diffLines(splitLines(before), splitLines(after));
  return [`--- ${name}`, `+++ ${name}`, ...hunks(edits, 3)].join('\n') + '\n';
}

/** Lines with their ends. */
function splitLines(text: string): string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

function diffLines(before: readonly string[], after: readonly string[]): Edit[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before.at(-1 - end) === after.at(-1 - end)) end++;
  const same = (line: string): Edit => [' ', line];
  return [
    ...before.slice(0, start).map(same),
    ...shortestEdits(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

/** Myers' O(ND) algorithm ("An O(ND) Difference Algorithm and Its Variations", 1986). */
function shortestEdits(before: readonly string[], after: readonly string[]): Edit[] {
  const replaced: Edit[] = [
    ...before.map((line): Edit => ['-', line]),
    ...after.map((line): Edit => ['+', line]),
  ];
  if (before.length === 0 || after.length === 0) return replaced;
  const furthest = new Map<number, number>([[1, 0]]);
  const steps: Map<number, number>[] = [];
  for (let distance = 0; distance <= Math.min(maxDistance, before.length + after.length); distance++) {
    steps.push(new Map(furthest));
    for (let diagonal = -distance; diagonal <= distance; diagonal += 2) {
      let x = startX(furthest, diagonal, distance);
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++;
      furthest.set(diagonal, x);
      if (x >= before.length && x - diagonal >= after.length) return walkBack(steps, before, after);
    }
  }
  return replaced;
}

/** Where a diagonal starts: below its upper or right of its lower neighbour, whichever is further. */
function startX(furthest: ReadonlyMap<number, number>, diagonal: number, distance: number): number {
  const [lower, upper] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1];
  const down = diagonal === -distance || (diagonal !== distance && lower < upper);
  return down ? upper : lower + 1;
}

function walkBack(
  steps: readonly ReadonlyMap<number, number>[],
  before: readonly string[],
  after: readonly string[],
): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [before.length, after.length];
  for (let distance = steps.length - 1; distance >= 0; distance--) {
    const furthest = steps[distance]!;
    const diagonal = x - y;
    const start = startX(furthest, diagonal, distance);
    while (x > start && y > start - diagonal) {
      edits.push([' ', before[--x]!]);
      y--;
    }
    if (distance === 0) break;
    const [lower, upper] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1];
    const down = diagonal === -distance || (diagonal !== distance && lower < upper);
    if (down) edits.push(['+', after[--y]!]);
    else edits.push(['-', before[--x]!]);
  }
  return edits.toReversed();
}

function hunks(edits: readonly Edit[], context: number): string[] {
  const out: string[] = [];
  const changed = edits.flatMap(([kind], index) => (kind === ' ' ? [] : [index]));
  for (let first = 0; first < changed.length;) {
    let last = first;
    while (last + 1 < changed.length && changed[last + 1]! - changed[last]! <= 2 * context + 1) last++;
    const from = Math.max(0, changed[first]! - context);
    const to = Math.min(edits.length, changed[last]! + context + 1);
    out.push(hunkHeader(edits, from, to), ...edits.slice(from, to).map(showEdit));
    first = last + 1;
  }
  return out;
}

function hunkHeader(edits: readonly Edit[], from: number, to: number): string {
  const range = (skipped: '-' | '+') => {
    const start = edits.slice(0, from).filter(([kind]) => kind !== skipped).length;
    const count = edits.slice(from, to).filter(([kind]) => kind !== skipped).length;
    return `${count === 0 ? start : start + 1},${count}`;
  };
  return `@@ -${range('+')} +${range('-')} @@`;
}

function showEdit([kind, line]: Edit): string {
  return line.endsWith('\n') ? kind + line.slice(0, -1) : `${kind}${line}\n\\ No newline at end of file`;
}
