/** The average over time of a number that jumps, such as calls under way. */

import type { Clock } from '../../kernel/clock.ts';

export interface LoadMeter {
  /** The number is another one from now on. */
  set(value: number): void;
  /** Its average since the last time it was asked for, and begins anew. The number itself when no time has passed. */
  take(): number;
}

export function createLoadMeter(clock: Clock): LoadMeter {
  let value = 0;
  let area = 0;
  let sinceMs = clock.now();
  let changedAtMs = sinceMs;

  function fill(nowMs: number): void {
    area += value * (nowMs - changedAtMs);
    changedAtMs = nowMs;
  }

  return {
    set(next) {
      fill(clock.now());
      value = next;
    },
    take() {
      const nowMs = clock.now();
      fill(nowMs);
      const mean = nowMs > sinceMs ? area / (nowMs - sinceMs) : value;
      area = 0;
      sinceMs = nowMs;
      return mean;
    },
  };
}
