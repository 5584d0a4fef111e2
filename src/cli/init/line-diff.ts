/** What would change in a text, line by line. */

import type { CliContext } from '../context.ts';
import { styled } from '../output.ts';

/** Beyond this many line pairs only the counts are told. */
const maxPairs = 4_000_000;

/** Length of the longest common subsequence of the tails, for every pair of starts. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint32Array[] {
  const table = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      table[i]![j] =
        before[i] === after[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
    }
  }
  return table;
}

/** Removed and added lines in order, without the unchanged ones. */
export function lineDiff(context: CliContext, before: string, after: string): string[] {
  const a = before.split('\n');
  const b = after.split('\n');
  if (a.length * b.length > maxPairs) return [`- ${a.length} lines`, `+ ${b.length} lines`];
  const table = commonLengths(a, b);
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && table[i + 1]![j]! >= table[i]![j + 1]!)) {
      lines.push(styled(context, 'red', `- ${a[i]}`));
      i += 1;
    } else {
      lines.push(styled(context, 'green', `+ ${b[j]}`));
      j += 1;
    }
  }
  return lines;
}
