/**
 * How many calls may be sent a second time: a share of the calls of late, and a reserve. When everything fails, the
 * servers get little more than their usual load instead of twice as much.
 */

import type { Clock } from '../kernel/clock.ts';

export interface RetryBudget {
  /** A call comes in. */
  deposit(): void;
  /** True, and paid for, when one more may be repeated. */
  withdraw(): boolean;
}

/** Repetitions for each call. */
const share = 0.2;
/** All calls under way on one instance may be repeated when it is killed. */
const reserve = 1000;
/** The reserve comes back at this rate even without calls. */
const perSecond = 10;

export function createRetryBudget(clock: Clock): RetryBudget {
  let balance = reserve;
  let countedAtMs = clock.now();
  return {
    deposit() {
      if (balance < reserve) balance += share;
    },
    withdraw() {
      const now = clock.now();
      balance = Math.min(balance + ((now - countedAtMs) / 1000) * perSecond, reserve);
      countedAtMs = now;
      if (balance < 1) return false;
      balance -= 1;
      return true;
    },
  };
}
