/** A person's words as a query. Nothing in it is syntax that could be wrong: what is not understood is text. */

import { isUnspaced, stemOf, wordsOf } from '../../kernel/text/segment.ts';

const stopWords = new Set(
  'a an and are as at be but by did do does for from had has have how i in is it its me my of on or our she he so that the their them then there these they this to was we were what when where which who why will with you your'.split(
    ' ',
  ),
);
const maxWords = 32;
const maxPhrases = 8;
const quoted = /"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»/g;

/** A way in which a word of the query may stand in a memory. */
export interface WordForm {
  /** A stem, or the beginning of words. */
  readonly text: string;
  readonly isPrefix: boolean;
  /** Part of the score that a match of this form is worth. */
  readonly weight: number;
}

/** A word of the query; any of its forms may match. */
export interface QueryWord {
  /** Folded. */
  readonly word: string;
  readonly forms: readonly WordForm[];
}

/** A query ready for the index. */
export interface ParsedQuery {
  /** Any of them may match, rank decides; never empty. */
  readonly words: readonly QueryWord[];
  /** Words that were quoted, folded: a memory must hold all of a phrase in this order. */
  readonly phrases: readonly (readonly string[])[];
}

/** What a match of the beginning of a word is worth, and of a word that may have been cut in its ending. */
const prefixWeight = 0.4;

/**
 * Stop words count only when there are no others. The last word also matches as a beginning, so does every
 * word before a `*`, and words of scripts without spaces. Undefined when there is no word.
 */
export function parseQuery(query: string): ParsedQuery | undefined {
  const text = query.toWellFormed();
  const phrases = [...text.matchAll(quoted)]
    .map((match) => wordsOf(match.slice(1).join('')))
    .filter((words) => words.length > 0)
    .slice(0, maxPhrases);
  const all = wordsOf(text).slice(0, maxWords);
  const last = all.at(-1);
  if (last === undefined) return undefined;
  const telling = all.filter((word) => !stopWords.has(word));
  const words = [...new Set(telling.length > 0 ? telling : all)];
  const open = new Set(
    [...text.matchAll(/([^\s*"]+)\*/g)].flatMap(([, word]) => wordsOf(word ?? '').slice(-1)),
  );
  if (!/["”“»]\s*$/.test(text)) open.add(last);
  return {
    words: words.map((word) => ({ word, forms: formsOf(word, open.has(word) || isUnspaced(word)) })),
    phrases,
  };
}

function formsOf(word: string, isOpen: boolean): WordForm[] {
  const stem = stemOf(word);
  const forms: WordForm[] = [{ text: stem, isPrefix: false, weight: 1 }];
  if (!isOpen) return forms;
  forms.push({ text: word, isPrefix: true, weight: prefixWeight });
  // The index holds stems: "launchi" on the way to "launching" begins none of them.
  const cut = /^([a-z]{3,})(?:in?|e)$/.exec(word)?.[1];
  const completed = cut === undefined ? stem : stemOf(`${cut}ing`);
  if (completed !== stem) forms.push({ text: completed, isPrefix: false, weight: prefixWeight });
  return forms;
}

/** True when the text holds the words of a phrase in their order, in whatever case, accents and punctuation. */
export function holdsPhrase(text: string, phrase: readonly string[]): boolean {
  // A dictionary may cut the same words differently in another sentence: without spaces the cuts do not count.
  if (phrase.some(isUnspaced)) return wordsOf(text).join('').includes(phrase.join(''));
  return ` ${wordsOf(text).join(' ')} `.includes(` ${phrase.join(' ')} `);
}
