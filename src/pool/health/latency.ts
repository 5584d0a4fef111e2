/** How long calls take of late: a moving average that is forgotten when no call comes to renew it. */

import type { Clock } from '../../kernel/clock.ts';

export interface Latency {
  /** Milliseconds; 0 while nothing is known. */
  readonly averageMs: number;
  /** What remains of the average after the quiet time since the last call: one who was slow once is tried again. */
  readonly currentMs: number;
  observe(tookMs: number): void;
}

/** Weight of the newest call. */
const weight = 0.2;
const halfLifeMs = 10_000;

export function createLatency(clock: Clock): Latency {
  let averageMs = 0;
  let seenAtMs = 0;
  return {
    get averageMs() {
      return averageMs;
    },
    get currentMs() {
      const quietMs = clock.now() - seenAtMs;
      return quietMs <= 0 || averageMs === 0 ? averageMs : averageMs * 2 ** (-quietMs / halfLifeMs);
    },
    observe(tookMs) {
      averageMs = averageMs === 0 ? tookMs : averageMs + weight * (tookMs - averageMs);
      seenAtMs = clock.now();
    },
  };
}
