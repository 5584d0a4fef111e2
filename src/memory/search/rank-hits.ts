/** From scores of words to the order of hits: neighbours in a thread lift each other, what is new counts a little more. */

import type { FoundRow, SearchReader } from './search-reader.ts';
import type { SearchFilter } from './search-filter.ts';

/** How much new memories are preferred. */
export type Recency = 'none' | 'mild' | 'strong';

/** A row with everything that made its score. */
export interface RankedHit extends FoundRow {
  /** Added from hits one and two places away in the same thread. */
  readonly neighbors: number;
  /** Factor, at least 1. */
  readonly recency: number;
  /** What hits are ordered by. */
  readonly total: number;
}

/** Part of a hit's score that goes to the memories one and two places before and after it. */
const neighborShares = [0.5, 0.2] as const;
/** Hits whose neighbours are looked for though no word brought them. */
const maxLifting = 50;
const halfLifeMs = 30 * 86_400_000;
const recencyWeights: Readonly<Record<Recency, number>> = { none: 0, mild: 0.05, strong: 0.5 };

/** The rows in their final order, with neighbours that no word brought. */
export function rankHits(
  reader: Pick<SearchReader, 'threadRows' | 'rowsOf'>,
  rows: readonly FoundRow[],
  filter: SearchFilter,
  options: { readonly neighbors: boolean; readonly recency: Recency; readonly nowMs: number },
): RankedHit[] {
  const all = options.neighbors ? [...rows, ...missingNeighbors(reader, rows, filter)] : rows;
  const scores = new Map<string, number>();
  for (const row of all) if (isPlaced(row)) scores.set(placeId(row, row.sequence), row.score);
  const liftOf = (row: FoundRow): number => {
    if (!options.neighbors || !isPlaced(row)) return 0;
    const lifts = neighborShares.map((share, at) => {
      const before = scores.get(placeId(row, row.sequence - at - 1)) ?? 0;
      const after = scores.get(placeId(row, row.sequence + at + 1)) ?? 0;
      return share * (before + after);
    });
    return lifts.reduce((sum, lift) => sum + lift, 0);
  };
  const hits = all.map((row) => {
    const neighbors = liftOf(row);
    const ageMs = Math.max(0, options.nowMs - row.atMs);
    const recency = 1 + recencyWeights[options.recency] * 2 ** (-ageMs / halfLifeMs);
    return { ...row, neighbors, recency, total: (row.score + neighbors) * recency };
  });
  return hits
    .filter(({ total }) => total > 0)
    .sort((a, b) => b.total - a.total || b.score - a.score || b.id - a.id);
}

type PlacedRow = FoundRow & { readonly thread: string; readonly sequence: number };

function isPlaced(row: FoundRow): row is PlacedRow {
  return row.thread !== null && row.sequence !== null;
}

function placeId({ scope, thread }: PlacedRow, sequence: number): string {
  return `${scope}\0${thread}\0${sequence}`;
}

function missingNeighbors(
  reader: Pick<SearchReader, 'threadRows' | 'rowsOf'>,
  rows: readonly FoundRow[],
  filter: SearchFilter,
): FoundRow[] {
  const known = new Set(rows.map(({ id }) => id));
  const reach = neighborShares.length;
  const missing = new Set<number>();
  for (const row of rows.slice(0, maxLifting)) {
    if (!isPlaced(row)) continue;
    const { scope, thread, sequence } = row;
    for (const id of reader.threadRows(scope, thread, sequence - reach, sequence + reach)) {
      if (!known.has(id)) missing.add(id);
    }
  }
  return missing.size === 0 ? [] : reader.rowsOf([...missing], filter);
}
