/** The month that calls are counted in, UTC. */

import type { Clock } from '../../kernel/clock.ts';

export interface Calendar {
  /** Such as `2026-11`. */
  readonly month: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** Goes on to the month that it is; never back, should the clock be set back. True when it has changed. */
  look(nowMs: number): boolean;
}

export function createCalendar(clock: Pick<Clock, 'now'>): Calendar {
  let month = '';
  let startsAtMs = 0;
  let endsAtMs = 0;
  function look(nowMs: number): boolean {
    if (nowMs < endsAtMs) return false;
    const now = new Date(nowMs);
    startsAtMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
    endsAtMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
    month = now.toISOString().slice(0, 7);
    return true;
  }
  look(clock.now());
  return {
    get month() {
      return month;
    },
    get startsAtMs() {
      return startsAtMs;
    },
    get endsAtMs() {
      return endsAtMs;
    },
    look,
  };
}
