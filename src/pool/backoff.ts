/** Exponential back-off with equal jitter: half the step is fixed, half is drawn, so that a herd spreads. */

import { randomInt } from 'node:crypto';

export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
}

export const restartBackoff: BackoffOptions = { baseMs: 250, capMs: 30_000 };

/** Milliseconds to wait before try `attempt` (0 is the first retry). */
export function backoffMs(
  attempt: number,
  options: BackoffOptions,
  draw: (max: number) => number = randomInt,
): number {
  const step = Math.min(options.capMs, options.baseMs * 2 ** Math.min(attempt, 30));
  const half = Math.floor(step / 2);
  return half + draw(half + 1);
}
