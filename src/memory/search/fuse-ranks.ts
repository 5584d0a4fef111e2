/** One order from two: by words and by meaning. Scores of the two do not compare, ranks do. */

import type { RankedHit } from './rank-hits.ts';
import type { SearchFilter } from './search-filter.ts';
import type { SearchReader } from './search-reader.ts';

/** A hit in its final place. */
export interface FusedHit extends RankedHit {
  /** What hits are ordered by. */
  readonly final: number;
  /** Place by words, from 1; absent when only one order took part. */
  readonly textRank?: number;
  readonly semantic?: { readonly rank: number; readonly similarity: number };
}

/** The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009). */
const rankConstant = 60;

/** Hits by words, fused with those by meaning where there are any: 1 / (60 + rank), summed. */
export function fuseRanks(
  reader: Pick<SearchReader, 'rowsOf'>,
  ranked: readonly RankedHit[],
  near: readonly { readonly id: number; readonly similarity: number }[] | undefined,
  filter: SearchFilter,
): FusedHit[] {
  if (!near) return ranked.map((hit) => ({ ...hit, final: hit.total }));
  const known = new Map(ranked.map((hit, at) => [hit.id, { hit, textRank: at + 1 }]));
  const others = near.flatMap(({ id }) => (known.has(id) ? [] : [id]));
  const rows = new Map(reader.rowsOf(others, filter).map((row) => [row.id, row]));
  const semantic = new Map(near.map(({ id, similarity }, at) => [id, { rank: at + 1, similarity }]));
  const share = (rank: number | undefined) => (rank === undefined ? 0 : 1 / (rankConstant + rank));
  const fused: FusedHit[] = [...known.values()].map(({ hit, textRank }) => {
    const meaning = semantic.get(hit.id);
    const final = share(textRank) + share(meaning?.rank);
    return { ...hit, final, textRank, ...(meaning && { semantic: meaning }) };
  });
  for (const [id, row] of rows) {
    const meaning = semantic.get(id);
    if (!meaning) continue;
    const nothing = { neighbors: 0, recency: 1, total: 0 };
    fused.push({ ...row, ...nothing, final: share(meaning.rank), semantic: meaning });
  }
  return fused.sort((a, b) => b.final - a.final || b.total - a.total || b.id - a.id);
}
