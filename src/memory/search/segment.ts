/** Words of a text in any script: Thai, Lao, Khmer, Burmese, Chinese and Japanese are cut by dictionary. */

const unspaced =
  /[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+/gu;
const wordPattern = /[\p{L}\p{N}\p{Co}\p{Mn}\p{Mc}]+/gu;
const segmenter = new Intl.Segmenter('th', { granularity: 'word' });

/** The text in NFC with spaces between words where its script writes none. */
export function segmentText(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(unspaced, (run) => ` ${[...segmenter.segment(run)].map((part) => part.segment).join(' ')} `);
}

/** The words of a segmented text, as the full-text index counts them. */
export function wordsOf(segmented: string): string[] {
  return segmented.match(wordPattern) ?? [];
}

/** True for a word of a script that is written without spaces. */
export function isUnspaced(word: string): boolean {
  unspaced.lastIndex = 0;
  return unspaced.test(word);
}

/** Stems of the English words whose stem differs from the word, each once. */
export function stemsOf(segmented: string): string[] {
  const stems = new Set<string>();
  for (const word of wordsOf(segmented)) {
    const lower = word.toLowerCase();
    const stem = stemOf(lower);
    if (stem !== lower) stems.add(stem);
  }
  return [...stems];
}

/** A light English stem: plural, -ing, -ed, -ly and their spelling changes; other words stay. */
export function stemOf(word: string): string {
  if (word.length < 4 || !/^[a-z]+$/.test(word)) return word;
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
