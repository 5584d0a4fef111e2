/** A fast look whether a value that has no full text yet may be found by some words; it may say yes too often. */

/** The longest beginning of a word that all its forms share. */
const stemLength = 4;

/**
 * Whether key or content holds the beginning of one of the words, whatever its case and accents. Words are
 * lower case, as the query parser gives them.
 */
export function createMayMatch(words: readonly string[]): (key: string, content: Uint8Array) => boolean {
  const beginnings = words.map((word) => fold(beginningOf(word)));
  return (key, content) => {
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
    const text = fold(`${key}\n${bytes.toString('utf8')}`);
    return beginnings.some((beginning) => text.includes(beginning));
  };
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
