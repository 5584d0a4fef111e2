/** A fast look whether a value that has no full text yet may be found by some words; it may say yes too often. */

/** The longest beginning of a word that all its forms share. */
const stemLength = 4;

/** Looks into a key and a content; `beginnings` is what it looks for. */
export interface MayMatch {
  (key: string, content: Uint8Array): boolean;
  readonly beginnings: readonly string[];
}

/**
 * Whether key or content holds the beginning of one of the words, whatever its case and accents. Words are
 * lower case, as the query parser gives them.
 */
export function createMayMatch(words: readonly string[]): MayMatch {
  const beginnings = words.map((word) => fold(beginningOf(word)));
  const mayMatch = (key: string, content: Uint8Array): boolean => {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
    const text = fold(`${key}\n${bytes.toString('utf8')}`);
    return beginnings.some((beginning) => text.includes(beginning));
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
