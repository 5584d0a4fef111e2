/**
 * Memories that may be the best for the words of a query. Rare words bring all memories that have them; a word
 * that very many memories have brings only the newest of these. So the work is bounded however many there are.
 */

import type { PostingsReader } from './postings.ts';
import { type FormMatch, type WordMatches, anyForm } from './read-words.ts';

/** Row ids, and which of them have which very common word. */
export interface Candidates {
  readonly ids: ReadonlySet<number>;
  readonly present: ReadonlyMap<FormMatch, ReadonlySet<number>>;
  /** Very common words of which only the newest memories were looked at. */
  readonly bounded: readonly string[];
}

/** FTS5 expressions that a memory must match, and such that it must not. */
export interface Narrowing {
  readonly narrow: readonly string[];
  readonly without: readonly string[];
  /** Expressions of phrases, which a memory must match too. */
  readonly phrases: readonly string[];
}

const maxMatches = 100_000;
/** Of a word that three quarters of the memories have. */
const leastIdf = 0.3;
/** Newest memories with a very common word that are candidates. */
const maxNewest = 300;
/** Newest memories with all quoted phrases that are candidates. */
const maxWithPhrases = 1000;

/** Finds them; `matches` are the words of the query, looked up. */
export function findCandidates(
  reader: PostingsReader,
  matches: WordMatches,
  narrowing: Narrowing,
): Candidates {
  if (narrowing.phrases.length > 0) return withPhrases(reader, matches, narrowing);
  const { rare, common, isCut } = matches;
  const ids = new Set<number>();
  const present = new Map<FormMatch, Set<number>>(common.map((match) => [match, new Set()]));
  const bounded = new Set(isCut ? rare.flatMap(({ word, isWhole }) => (isWhole ? [] : [word])) : []);
  // To match a beginning of very many words FTS5 would join the places of them all.
  const whole = rare.filter(({ isWhole }) => isWhole);
  if (rare.length > 0) {
    const isNarrow = narrowing.narrow.length > 0 || narrowing.without.length > 0;
    const canNarrow = isNarrow && whole.length === rare.length;
    const found = canNarrow
      ? reader.match(narrowed(anyForm(rare), narrowing), maxMatches)
      : rare.flatMap(({ counts }) => [...counts.keys()]);
    for (const id of found) ids.add(id);
  }
  const add = (match: FormMatch, found: readonly number[]) => {
    for (const id of found) {
      ids.add(id);
      present.get(match)?.add(id);
    }
  };
  if (whole.length > 0) {
    for (const match of common) {
      // What nearly every memory has tells them apart by nothing.
      if (match.idf < leastIdf) continue;
      add(match, reader.match(narrowed(`${anyForm([match])} AND ${anyForm(whole)}`, narrowing), maxMatches));
    }
  }
  const words = [...Map.groupBy(common, ({ word }) => word).values()];
  const withAll =
    words.length > 1 ? reader.match(narrowed(words.map(anyForm).join(' AND '), narrowing), maxNewest) : [];
  for (const match of common) {
    const newest = reader.match(narrowed(anyForm([match]), narrowing), maxNewest);
    add(match, [...withAll, ...newest]);
    if (newest.length >= maxNewest) bounded.add(match.word);
  }
  return { ids, present, bounded: [...bounded] };
}

/** Who has the phrases has their words: one look at the index, however common these are. */
function withPhrases(reader: PostingsReader, matches: WordMatches, narrowing: Narrowing): Candidates {
  const found = reader.match(narrowed(narrowing.phrases.join(' AND '), narrowing), maxWithPhrases);
  const ids = new Set(found);
  const bounded = found.length < maxWithPhrases ? [] : new Set(matches.common.map(({ word }) => word));
  return { ids, present: new Map(matches.common.map((match) => [match, ids])), bounded: [...bounded] };
}

function narrowed(expression: string, { narrow, without }: Narrowing): string {
  const all = [expression, ...narrow].join(' AND ');
  return without.length === 0 ? all : `(${all}) NOT (${without.join(' OR ')})`;
}
