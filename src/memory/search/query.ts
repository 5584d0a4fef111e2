/** A person's words as an FTS5 query: every word quoted, so that punctuation is never syntax. */

import { isUnspaced, segmentText, stemOf, wordsOf } from './segment.ts';

const stopWords = new Set(
  'a an and are as at be but by did do does for from had has have how i in is it its me my of on or our she he so that the their them then there these they this to was we were what when where which who why will with you your'.split(
    ' ',
  ),
);
const maxWords = 32;

/** A query ready for the index. */
export interface ParsedQuery {
  /** The FTS5 expression. */
  readonly match: string;
  /** The words to look for in snippets, lower case. */
  readonly words: readonly string[];
}

/**
 * Any of the words may match, rank decides; stop words count only when there are no others. The last word
 * also matches as a prefix, and so do words of scripts without spaces. Undefined when there is no word.
 */
export function parseQuery(query: string): ParsedQuery | undefined {
  const all = wordsOf(segmentText(query.toWellFormed()))
    .map((word) => word.toLowerCase())
    .slice(0, maxWords);
  const last = all.at(-1);
  if (last === undefined) return undefined;
  const telling = all.filter((word) => !stopWords.has(word));
  const words = [...new Set(telling.length > 0 ? telling : all)];
  const terms = words.flatMap((word) => {
    const exact = `{key tags body} : "${word}"`;
    const prefix = word === last || isUnspaced(word) ? [`{key tags body} : "${word}" *`] : [];
    return [
      exact,
      ...prefix,
      `stems : "${stemOf(word)}"`,
      ...(stemOf(word) === word ? [] : [`"${stemOf(word)}"`]),
    ];
  });
  return { match: terms.join(' OR '), words };
}
