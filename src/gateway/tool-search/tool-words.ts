/** Words of tools and of questions about them, brought to one form. */

import { isUnspaced, stemOf, wordsOf } from '../../kernel/text/segment.ts';

/** Words that say nothing about which tool is meant. */
const stopWords = new Set(
  'a am an and are as at be been but by can could did do does for from had has have he her his how i if in into is it its just let me my no not now of on or our out please she should so some than that the their them then there these they this those to up us was we were what when where which whose why will with would yet you your'.split(
    ' ',
  ),
);

const mayBeCamelCase = /[\p{Ll}\p{N}]\p{Lu}|\p{Lu}{2}\p{Ll}/u;

/** `readFile`, `HTTPServer`, `Sha256Sum`: a space where a new word begins. */
function splitCamelCase(text: string): string {
  if (!mayBeCamelCase.test(text)) return text;
  return text.replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2').replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2');
}

/** Stems are asked for again and again: a vocabulary is small. */
const stems = new Map<string, string>();
const maxStems = 50_000;

function stem(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const made = isUnspaced(word) ? word : stemOf(word);
  if (stems.size >= maxStems) stems.clear();
  stems.set(word, made);
  return made;
}

/** Stems of the words that mean something, in order: snake_case, camelCase, kebab-case and Thai are cut. */
export function toolWords(text: string): string[] {
  const words: string[] = [];
  for (const word of wordsOf(splitCamelCase(text))) if (!stopWords.has(word)) words.push(stem(word));
  return words;
}
