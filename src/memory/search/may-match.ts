/** A fast look which words a value that has no full text yet may be found by; it may say yes too often. */

/** The longest beginning of a word that all its forms share. */
const stemLength = 4;

/** Looks into a key and a content. */
export interface MayMatch {
  /** One bit for each word, the first the lowest. */
  (key: string, content: Uint8Array): number;
  /** What it looks for, in the order of the words. */
  readonly beginnings: readonly string[];
}

/**
 * Which of at most 32 words key or content holds the beginning of, whatever its case and accents. Words are lower case,
 * as the query parser gives them.
 */
export function createMayMatch(words: readonly string[]): MayMatch {
  const beginnings = words.map((word) => fold(beginningOf(word)));
  const mayMatch = (key: string, content: Uint8Array): number => {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
    const text = fold(`${key}\n${bytes.toString('utf8')}`);
    let bits = 0;
    for (const [at, beginning] of beginnings.entries()) if (text.includes(beginning)) bits |= 1 << at;
    return bits;
  };
  return Object.assign(mayMatch, { beginnings });
}

function beginningOf(word: string): string {
  return /^[a-z]+$/.test(word) && word.length > stemLength ? word.slice(0, stemLength) : word;
}

/** Lower case, without accents. */
function fold(text: string): string {
  const lower = text.toLowerCase();
  return isAscii(lower) ? lower : lower.normalize('NFD').replaceAll(/\p{Mn}+/gu, '');
}

function isAscii(text: string): boolean {
  return !/[^\x20-\x7e\s]/.test(text);
}
