/** Looks the words of a query up in the index, within a budget: very common words are kept apart. */

import type { Postings, PostingsReader } from './postings.ts';
import { formExpression } from './postings.ts';
import type { QueryWord, WordForm } from './query.ts';

/** A form of a word of the query, with the memories that have it. */
export interface FormMatch {
  readonly word: string;
  readonly form: WordForm;
  readonly counts: ReadonlyMap<number, number>;
  /** Okapi inverse document frequency. */
  readonly idf: number;
  /** False for a beginning of so many words that only some of them were read. */
  readonly isWhole: boolean;
}

/** The words of a query, looked up. */
export interface WordMatches {
  /** Forms whose memories are all known. */
  readonly rare: readonly FormMatch[];
  /** Forms that too many memories have; `counts` is empty. */
  readonly common: readonly FormMatch[];
  /** True when a beginning of a word stood for too many words, and some were left out. */
  readonly isCut: boolean;
}

/** Memories with its words that one query reads: some 15 ms. */
const maxMemories = 30_000;
const minPerForm = 3000;

/** Reads the forms of all words. */
export function readWords(
  reader: PostingsReader,
  words: readonly QueryWord[],
  memories: number,
): WordMatches {
  const forms = words.reduce((sum, word) => sum + word.forms.length, 0);
  const limit = Math.max(minPerForm, Math.floor(maxMemories / Math.max(1, forms)));
  const rare: FormMatch[] = [];
  const common: FormMatch[] = [];
  let isCut = false;
  for (const { word, forms: ways } of words) {
    let isFound = false;
    // Whole words come first; a beginning that fits too many words only counts where nothing else was found.
    for (const form of ways) {
      const postings = reader.read(form, limit);
      if (postings.memories === 0) continue;
      const match = {
        word,
        form,
        counts: postings.counts,
        idf: idfOf(postings, memories),
        isWhole: !postings.isCut,
      };
      if (!postings.isCut) rare.push(match);
      else if (!form.isPrefix) common.push({ ...match, counts: new Map() });
      else {
        isCut = true;
        if (!isFound) rare.push(match);
      }
      isFound = true;
    }
  }
  return { rare, common, isCut };
}

function idfOf(postings: Postings, memories: number): number {
  const having = Math.min(postings.memories, memories);
  return Math.log(1 + (memories - having + 0.5) / (having + 0.5));
}

/** An FTS5 expression for memories with any of the forms. */
export function anyForm(matches: readonly FormMatch[]): string {
  return `(${matches.map(({ form }) => formExpression(form)).join(' OR ')})`;
}
