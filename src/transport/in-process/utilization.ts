/** How busy a worker thread is. */

import type { Worker } from 'node:worker_threads';
import { systemClock } from '../../kernel/clock.ts';

export interface Utilization {
  /** Share of the last seconds in which its event loop had something to do, 0 to 1; newer ones count for more. */
  readonly value: number;
  stop(): void;
}

const sampleMs = 500;
/** What a sample counts for: after two seconds four fifths of the value are new. */
const sampleWeight = 0.3;

/** Samples the thread until told to stop; the thread itself has nothing to do for it. */
export function watchUtilization(worker: Worker): Utilization {
  let value = 0;
  let last = worker.performance.eventLoopUtilization();
  let cancel = systemClock.after(sampleMs, sample);

  function sample(): void {
    const now = worker.performance.eventLoopUtilization();
    const { utilization } = worker.performance.eventLoopUtilization(now, last);
    // Of a thread that is not up yet there is nothing to be known.
    if (Number.isFinite(utilization)) value += sampleWeight * (utilization - value);
    last = now;
    cancel = systemClock.after(sampleMs, sample);
  }

  return {
    get value() {
      return value;
    },
    stop: () => cancel(),
  };
}
