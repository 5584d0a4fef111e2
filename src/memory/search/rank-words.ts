/** Ranks memories by the words they have: Okapi BM25 over weighted fields. */

import { type Narrowing, findCandidates } from './find-candidates.ts';
import { type FieldCounts, type PostingsReader, countsOf } from './postings.ts';
import type { ParsedQuery } from './query.ts';
import { type FormMatch, readWords } from './read-words.ts';

/** Why a memory got its score from a word. */
export interface WordScore {
  readonly word: string;
  /** How often the word is there, by field; of a very common word only that it is. */
  readonly counts: FieldCounts;
  readonly idf: number;
  readonly score: number;
}

/** A memory with its score from words. */
export interface RankedRow {
  readonly id: number;
  readonly score: number;
  readonly words: readonly WordScore[];
}

/** The best rows, and what was left out. */
export interface RankedRows {
  /** Best first. */
  readonly rows: readonly RankedRow[];
  /** Candidates before the cut to `rows`. */
  readonly candidates: number;
  /** Very common words of which only the newest memories were looked at. */
  readonly bounded: readonly string[];
}

/** Words in a key say more than in a tag, and these more than in the text. */
const fieldWeights = { key: 4, tags: 3, body: 1 } as const;
const k1 = 1.2;
const b = 0.75;
/** Candidates that are ranked with their length. */
const maxRanked = 1000;
const once: FieldCounts = { key: 0, tags: 0, body: 1 };

/** The best memories for the words of a query, at most 1,000. */
export function rankWords(reader: PostingsReader, query: ParsedQuery, narrowing: Narrowing): RankedRows {
  const { memories, averageLength } = reader.totals();
  const matches = readWords(reader, query.words, memories);
  const { ids, present, bounded } = findCandidates(reader, matches, narrowing);
  const words = [...Map.groupBy([...matches.rare, ...matches.common], ({ word }) => word).values()];
  const countsIn = (match: FormMatch, id: number): FieldCounts | undefined => {
    const packed = match.counts.get(id);
    if (packed !== undefined) return countsOf(packed);
    return present.get(match)?.has(id) === true ? once : undefined;
  };

  /** The best way in which a memory has one of the words. */
  function scoreWord(forms: readonly FormMatch[], id: number, norm: number): WordScore | undefined {
    let best: WordScore | undefined;
    for (const match of forms) {
      const counts = countsIn(match, id);
      if (!counts) continue;
      const often =
        fieldWeights.key * counts.key + fieldWeights.tags * counts.tags + fieldWeights.body * counts.body;
      const score = (match.form.weight * match.idf * often * (k1 + 1)) / (often + norm);
      if (!best || best.score < score) best = { word: match.word, counts, idf: match.idf, score };
    }
    return best;
  }

  function scoreRow(id: number, length: number): RankedRow {
    const norm = k1 * (1 - b + (b * length) / averageLength);
    const scores = words.flatMap((forms) => scoreWord(forms, id, norm) ?? []);
    return { id, words: scores, score: scores.reduce((sum, { score }) => sum + score, 0) };
  }

  const guess = (id: number) => words.reduce((sum, forms) => sum + (scoreWord(forms, id, k1)?.score ?? 0), 0);
  const chosen = best([...ids], guess, maxRanked);
  const lengths = reader.lengthsOf(chosen);
  const rows = chosen.map((id) => scoreRow(id, lengths.get(id) ?? 0));
  rows.sort((one, other) => other.score - one.score || other.id - one.id);
  return { rows, candidates: ids.size, bounded };
}

/** The `count` ids with the highest scores, in no order; of those that tie at the border the newest. */
function best(ids: readonly number[], scoreOf: (id: number) => number, count: number): readonly number[] {
  if (ids.length <= count) return ids;
  const scores = Float64Array.from(ids, scoreOf);
  const least = scores.toSorted()[ids.length - count] ?? 0;
  const above = ids.filter((_, at) => (scores[at] ?? 0) > least);
  const ties = ids.filter((_, at) => scores[at] === least).sort((one, other) => other - one);
  return [...above, ...ties.slice(0, count - above.length)];
}
