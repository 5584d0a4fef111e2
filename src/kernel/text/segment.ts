/** Words of a text in any script: Thai, Lao, Khmer, Burmese, Chinese and Japanese are cut by dictionary. */

const unspacedScripts =
  '\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}';
const unspacedRuns = new RegExp(`[${unspacedScripts}]+`, 'gu');
const unspaced = new RegExp(`[${unspacedScripts}]`, 'u');
const notAscii = /\P{ASCII}/u;
const asciiWords = /[A-Za-z0-9]+/g;
/** Marks are part of a word, else Thai vowels and tones would cut it; an emoji is a word. */
const anyWords = /[\p{L}\p{N}\p{Co}\p{Mn}\p{Mc}]+|\p{Extended_Pictographic}/gu;
const wordsOrRuns = new RegExp(
  `[${unspacedScripts}]+|(?:(?![${unspacedScripts}])[\\p{L}\\p{N}\\p{Co}\\p{Mn}\\p{Mc}])+|\\p{Extended_Pictographic}`,
  'gu',
);
const segmenter = new Intl.Segmenter('th', { granularity: 'word' });

/** Longer words (data, not language) are compared by their beginning. */
const maxWordLength = 64;

/** The text in NFC with spaces between words where its script writes none. */
export function segmentText(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(
      unspacedRuns,
      (run) => ` ${[...segmenter.segment(run)].map((part) => part.segment).join(' ')} `,
    );
}

/** The words of a text as they are written, with their places; runs of a script without spaces stay whole. */
export function matchWords(text: string): IterableIterator<RegExpExecArray> {
  return text.matchAll(notAscii.test(text) ? wordsOrRuns : asciiWords);
}

/** The words of a text, folded, in order. */
export function wordsOf(text: string): string[] {
  if (notAscii.test(text)) return (segmentText(text).match(anyWords) ?? []).map(foldWord);
  // Most memories are plain English; the general way takes ten times as long.
  const words = text.toLowerCase().match(asciiWords) ?? [];
  return words.some(({ length }) => length > maxWordLength) ? words.map(foldWord) : words;
}

/** One form for what is written in many: lower case, without accents, at most 64 long. */
export function foldWord(word: string): string {
  const short = word.length > maxWordLength ? word.slice(0, maxWordLength).toWellFormed() : word;
  const lower = short.toLowerCase();
  if (!notAscii.test(lower)) return lower;
  return lower
    .normalize('NFD')
    .replaceAll(/[\u0300-\u036F]/g, '')
    .normalize('NFC');
}

/** True for a word of a script that is written without spaces. */
export function isUnspaced(word: string): boolean {
  return unspaced.test(word);
}

/** A light English stem of a folded word: plural, -ing, -ed, -ly and their spelling changes; others stay. */
export function stemOf(word: string): string {
  return mayHaveEnding(word) ? cutEnding(word) : word;
}

/** False for the most words, whose stem is the word itself. */
export function mayHaveEnding(word: string): boolean {
  return word.length >= 4 && 'degrsy'.includes(word.charAt(word.length - 1));
}

function cutEnding(word: string): string {
  if (!/^[a-z]+$/.test(word)) return word;
  let stem = word;
  if (/(?:ss|us|is)$/.test(stem)) return stem;
  if (stem.endsWith('ies') && stem.length > 4) stem = `${stem.slice(0, -3)}y`;
  else if (/(?:sses|shes|ches|xes|zes)$/.test(stem)) stem = stem.slice(0, -2);
  else if (stem.endsWith('s')) stem = stem.slice(0, -1);
  if (stem.endsWith('ily') && stem.length > 5) stem = `${stem.slice(0, -3)}y`;
  else if (stem.endsWith('ly') && stem.length > 5) stem = stem.slice(0, -2);
  const cut = /^(.*[aeiouy].*?)(?:ing|ed|er)$/.exec(stem)?.[1];
  if (cut !== undefined && cut.length >= 3) stem = cut.replace(/([bdfgmnprt])\1$/, '$1');
  return stem.length > 3 ? stem.replace(/e$/, '') : stem;
}
