/** Counts of durations by upper bound, cheap enough for every call. */

/** Upper bounds, seconds; the last one is everything. */
export const boundsSeconds: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5, 30, Infinity];
const boundsMs = boundsSeconds.map((seconds) => seconds * 1000);

export interface Histogram {
  readonly count: number;
  readonly sumSeconds: number;
  observe(ms: number): void;
  /** Observations at or below each of `boundsSeconds`. */
  cumulative(): number[];
}

export function createHistogram(): Histogram {
  const counts = new Float64Array(boundsMs.length);
  let count = 0;
  let sumMs = 0;
  return {
    get count() {
      return count;
    },
    get sumSeconds() {
      return sumMs / 1000;
    },
    observe(ms) {
      let at = 0;
      while (ms > boundsMs[at]!) at += 1;
      counts[at]! += 1;
      count += 1;
      sumMs += ms;
    },
    cumulative() {
      let below = 0;
      return Array.from(counts, (own) => (below += own));
    },
  };
}
