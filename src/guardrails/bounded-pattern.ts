/**
 * Regular expressions of operators, taken only where no text can make them slow: every repetition has an upper bound,
 * groups are not repeated, nothing refers back or looks around, and the ways to match from one place are few.
 * So the time for a text is at most its length times a constant.
 */

/** Ways in which a pattern may match from one place. */
const maxWays = 5000;
const longestPattern = 1000;

/** Says what is wrong with a pattern; undefined where it may be used. */
export function problemOf(pattern: string): string | undefined {
  if (pattern === '') return 'is empty';
  if (pattern.length > longestPattern) return `is longer than ${longestPattern} characters`;
  try {
    const compiled = new RegExp(pattern, 'u');
    if (compiled.test('')) return 'matches nothing at all, and so every text';
    const ways = createReader(pattern).alternatives();
    if (ways > maxWays)
      return `can match in ${ways} ways from one place, more than ${maxWays}; use smaller bounds`;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Walks a valid pattern and counts; throws for what has no bound. */
function createReader(pattern: string) {
  let at = 0;

  /** Maximum less minimum of the repetition that follows, plus one; 1 where there is none. */
  function repetition(isGroup: boolean): number {
    const [text, least, comma, most] = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(pattern.slice(at)) ?? [];
    if (text === undefined) return 1;
    at += text.length;
    if (text.startsWith('?')) return 2;
    const isOpen = least === undefined || (comma === ',' && most === '');
    if (isOpen) throw new Error(`has ${text} without an upper bound; write {0,64} or the like`);
    const high = comma === '' ? Number(least) : Number(most);
    if (isGroup) throw new Error('repeats a group; only single characters and classes may be repeated');
    if (high > 1000) throw new Error(`has ${text}; at most 1000 repetitions are taken`);
    return high - Number(least) + 1;
  }

  function group(): number {
    const opening = /^\((?:\?:|\?<[A-Za-z_]\w*>|(?!\?))/.exec(pattern.slice(at))?.[0];
    if (opening === undefined)
      throw new Error('looks around or sets flags inside; only (…), (?:…) and (?<name>…) are taken');
    at += opening.length;
    const inner = alternatives();
    at += 1;
    // Left out is one way more.
    return inner + repetition(true) - 1;
  }

  function atom(): number {
    const rest = pattern.slice(at);
    if (rest.startsWith('\\k') || /^\\[1-9]/.test(rest)) throw new Error('refers back to a group');
    const [text = ''] =
      /^(?:\[(?:\\[^]|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\c[A-Za-z]|\\[^]|[^])/u.exec(
        rest,
      ) ?? [];
    at += text.length;
    return repetition(false);
  }

  function sequence(): number {
    let ways = 1;
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') {
      ways *= pattern[at] === '(' ? group() : atom();
    }
    return ways;
  }

  function alternatives(): number {
    let ways = sequence();
    while (pattern[at] === '|') {
      at += 1;
      ways += sequence();
    }
    return ways;
  }

  return { alternatives };
}
