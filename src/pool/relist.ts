/** When the lists of a server are read again: soon after it said that they changed, however often it says so. */

import type { Clock } from '../kernel/clock.ts';

export interface Relist {
  /** Something has changed: one run will begin after this. */
  request(): void;
  /** Forgets what was asked for; a run under way ends by itself. */
  cancel(): void;
}

/** A server that never stops changing has its lists read for at most this part of the time. */
const restPerRun = 4;

/**
 * Runs one at a time. A request does not put off a run that is already due, so a flood of them starves nobody;
 * the pause after a run grows with the time the run took.
 */
export function createRelist(options: {
  readonly clock: Clock;
  /** Pause between a request and its run, milliseconds. */
  readonly delayMs: number;
  /** Must not reject. */
  readonly run: () => Promise<void>;
}): Relist {
  const { clock, delayMs } = options;
  let cancelTimer: (() => void) | undefined;
  let isRunning = false;
  let isAsked = false;

  function schedule(pauseMs: number): void {
    cancelTimer = clock.after(pauseMs, () => void run());
  }

  async function run(): Promise<void> {
    cancelTimer = undefined;
    isAsked = false;
    isRunning = true;
    const startedAtMs = clock.now();
    await options.run();
    isRunning = false;
    if (isAsked) schedule(Math.max(delayMs, (clock.now() - startedAtMs) * restPerRun));
  }

  return {
    request() {
      isAsked = true;
      if (!isRunning && cancelTimer === undefined) schedule(delayMs);
    },
    cancel() {
      isAsked = false;
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}
