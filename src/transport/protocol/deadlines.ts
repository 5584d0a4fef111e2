/** Times by which something has to be over, under one timer: most of what is added is gone long before. */

import type { Clock } from '../../kernel/clock.ts';

export interface Deadlines {
  /** Something is due at this time, milliseconds since the epoch. */
  add(dueAtMs: number): void;
}

/**
 * Calls `check` when the earliest time known has come. It answers with the next earliest among what is still
 * open, Infinity if there is none. A timer that was armed for something that is gone fires for nothing, once.
 */
export function createDeadlines(clock: Clock, check: (nowMs: number) => number): Deadlines {
  let armedForMs = Infinity;
  let cancel = (): void => {};

  function fire(): void {
    armedForMs = Infinity;
    const nextMs = check(clock.now());
    if (nextMs < Infinity) deadlines.add(nextMs);
  }

  const deadlines: Deadlines = {
    add(dueAtMs) {
      if (dueAtMs >= armedForMs) return;
      cancel();
      armedForMs = dueAtMs;
      cancel = clock.after(Math.min(Math.max(dueAtMs - clock.now(), 0), maxDelayMs), fire);
    },
  };
  return deadlines;
}

/** Longest delay that Node's timers take; a longer one would fire at once. */
const maxDelayMs = 2_147_483_647;
