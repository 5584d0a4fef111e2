/** Finds lines in a text. Used by the server itself for literal text and by its thread for regular expressions. */

/** A matching line. */
export interface LineHit {
  /** From 1. */
  readonly line: number;
  /** The line, cut to some length around the match. */
  readonly text: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Where in a line the match starts, or -1. */
export type LineMatcher = (line: string) => number;

const maxLineCharacters = 500;

/** A matcher for literal text, in Unicode NFC on both sides. */
export function literalMatcher(wanted: string, caseSensitive: boolean): LineMatcher {
  const fold = (text: string) =>
    caseSensitive ? text.normalize('NFC') : text.normalize('NFC').toLowerCase();
  const needle = fold(wanted);
  return (line) => fold(line).indexOf(needle);
}

/** A matcher for a regular expression; throws SyntaxError for a bad one. Runs as long as it likes. */
export function regexMatcher(pattern: string, caseSensitive: boolean): LineMatcher {
  const regex = new RegExp(pattern, caseSensitive ? 'u' : 'iu');
  return (line) => line.search(regex);
}

/** The first `limit` lines that match, with so many lines around each. */
export function searchLines(
  text: string,
  matcher: LineMatcher,
  limit: number,
  contextLines: number,
): LineHit[] {
  const lines = text.split(/\r?\n/);
  const hits: LineHit[] = [];
  for (const [index, line] of lines.entries()) {
    const at = matcher(line);
    if (at === -1) continue;
    hits.push({
      line: index + 1,
      text: around(line, at),
      before: lines.slice(Math.max(0, index - contextLines), index).map((other) => around(other, 0)),
      after: lines.slice(index + 1, index + 1 + contextLines).map((other) => around(other, 0)),
    });
    if (hits.length === limit) break;
  }
  return hits;
}

/** A long line (minified code, say) shortened to the part that matters. */
function around(line: string, at: number): string {
  if (line.length <= maxLineCharacters) return line;
  const from = Math.max(0, Math.min(at - maxLineCharacters / 4, line.length - maxLineCharacters));
  const part = line.slice(from, from + maxLineCharacters).toWellFormed();
  return `${from > 0 ? '…' : ''}${part}${from + maxLineCharacters < line.length ? '…' : ''}`;
}
