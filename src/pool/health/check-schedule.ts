/**
 * When each connection is checked: the first time at a moment drawn from the whole interval, then once an interval
 * give or take a tenth. A thousand servers that start together are so checked evenly, and stay so.
 */

import { randomInt } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import type { Draw } from '../../kernel/selection-policy.ts';

export interface CheckSchedule {
  /** Begins to check; the returned function ends it. `check` must not reject. */
  add(target: CheckTarget): () => void;
}

export interface CheckTarget {
  /** Milliseconds. */
  readonly intervalMs: number;
  /** False puts the check off to the next time: calls have said enough, or nothing is there to be checked. */
  isDue(): boolean;
  check(): Promise<void>;
}

/** Checks under way at a time; after a machine has slept all of them are due at once. */
const maxAtOnce = 16;

export function createCheckSchedule(clock: Clock, draw: Draw = randomInt): CheckSchedule {
  const waiting: (() => Promise<void>)[] = [];
  let running = 0;

  function runNext(): void {
    if (running >= maxAtOnce) return;
    const task = waiting.shift();
    if (!task) return;
    running += 1;
    void task().finally(() => {
      running -= 1;
      runNext();
    });
  }

  return {
    add(target) {
      const { intervalMs } = target;
      let isOver = false;
      let cancelTimer = clock.after(draw(intervalMs), due);

      function again(): void {
        const tenthMs = Math.max(Math.floor(intervalMs / 10), 1);
        if (!isOver) cancelTimer = clock.after(intervalMs - tenthMs + draw(2 * tenthMs + 1), due);
      }

      function due(): void {
        if (!target.isDue()) return again();
        waiting.push(async () => {
          if (!isOver) await target.check();
          again();
        });
        runNext();
      }

      return () => {
        isOver = true;
        cancelTimer();
      };
    },
  };
}
