/** The part of a text with most of what was searched for, and where in it that stands. */

import type { QueryWord } from './query.ts';
import { foldWord, isUnspaced, matchWords, stemOf } from '../../kernel/text/segment.ts';

const snippetLength = 200;
const lead = 60;
const maxTextLength = 256 * 1024;
/** Places that are looked at; a text with more has them everywhere. */
const maxMarks = 2000;

/** A snippet; `highlights` are `[start, end)` in UTF-16 units of `text`. */
export interface Snippet {
  readonly text: string;
  readonly highlights: readonly (readonly [number, number])[];
}

interface Mark {
  readonly start: number;
  readonly end: number;
  readonly word: string;
}

/** Up to some 200 characters on one line, whole words where possible, with `…` where text was left out. */
export function snippetOf(text: string, words: readonly QueryWord[]): Snippet {
  const flat = text.slice(0, maxTextLength).toWellFormed().normalize('NFC').replaceAll(/\s+/g, ' ').trim();
  const marks = findMarks(flat, words);
  const { start, end } =
    flat.length <= snippetLength ? { start: 0, end: flat.length } : windowOf(flat, marks);
  const before = start > 0 ? '…' : '';
  const shift = before.length - start;
  const highlights = marks
    .filter((mark) => mark.start >= start && mark.end <= end)
    .map((mark) => [mark.start + shift, mark.end + shift] as const);
  const part = flat.slice(start, end).toWellFormed().trimEnd();
  return { text: `${before}${part}${end < flat.length ? '…' : ''}`, highlights };
}

/** Where the words of the query stand, in order. */
function findMarks(flat: string, words: readonly QueryWord[]): Mark[] {
  const marks: Mark[] = [];
  for (const match of matchWords(flat)) {
    const [written] = match;
    if (isUnspaced(written)) marks.push(...marksInRun(written, match.index, words));
    else {
      const folded = foldWord(written);
      const stem = stemOf(folded);
      const found = words.find(({ forms }) =>
        forms.some(({ text, isPrefix }) => (isPrefix ? folded.startsWith(text) : stem === text)),
      );
      if (found) marks.push({ start: match.index, end: match.index + written.length, word: found.word });
    }
    if (marks.length >= maxMarks) break;
  }
  return marks;
}

/** A run without spaces may hold several words; the text around a word decides how a dictionary would cut it. */
function marksInRun(run: string, offset: number, words: readonly QueryWord[]): Mark[] {
  const marks: Mark[] = [];
  let free = 0;
  const places = words
    .filter(({ word }) => isUnspaced(word))
    .flatMap(({ word }) => placesIn(run, word).map((index) => ({ word, index })))
    .sort((a, b) => a.index - b.index || b.word.length - a.word.length);
  for (const { word, index } of places) {
    if (index < free) continue;
    free = index + word.length;
    marks.push({ start: offset + index, end: offset + free, word });
  }
  return marks;
}

function placesIn(text: string, word: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) places.push(at);
  return places;
}

/** The window with most different words, then most marks, the first of them. */
function windowOf(flat: string, marks: readonly Mark[]): { start: number; end: number } {
  let best = { from: 0, worth: 0 };
  for (const [at, first] of marks.entries()) {
    const different = new Set<string>();
    let count = 0;
    for (let next = at; next < marks.length; next++) {
      const mark = marks[next];
      if (!mark || mark.end > first.start + snippetLength - lead) break;
      different.add(mark.word);
      count += 1;
    }
    const worth = different.size * 1000 + count;
    if (worth > best.worth) best = { from: first.start, worth };
  }
  const start = startOf(flat, best.from);
  let end = Math.min(flat.length, start + snippetLength);
  if (end < flat.length) {
    const space = flat.lastIndexOf(' ', end);
    if (space > start + snippetLength / 2) end = space;
  }
  return { start, end };
}

function startOf(flat: string, hit: number): number {
  const wanted = Math.min(Math.max(0, hit - lead), Math.max(0, flat.length - snippetLength));
  if (wanted === 0) return 0;
  const space = flat.indexOf(' ', wanted);
  return space >= 0 && space < hit ? space + 1 : wanted;
}
