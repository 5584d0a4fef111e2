/** Lets an instance sleep when nobody has used it for a while, and knows when it is quiet. */

import type { Clock } from '../kernel/clock.ts';

export interface Rest {
  /** A call began or ended, or something else made use of it. */
  used(): void;
  /** No sleep until the next use. */
  cancel(): void;
  /** Resolves when `isQuiet` after some use, or after so long. */
  quiet(isQuiet: () => boolean, withinMs: number): Promise<void>;
}

export function createRest(options: {
  readonly clock: Clock;
  /** Undefined: never sleeps. */
  readonly idleMs: number | undefined;
  /** Calls under way, or something else that must not be lost. An open stream of a client is none of it. */
  readonly isBusy: () => boolean;
  readonly sleep: () => Promise<unknown>;
}): Rest {
  const { clock, idleMs } = options;
  let usedAtMs = 0;
  let cancelTimer: (() => void) | undefined;

  // The timer stays while calls come; when it fires it looks how long the last one is ago.
  function arm(delayMs: number): void {
    cancelTimer = clock.after(delayMs, () => {
      cancelTimer = undefined;
      const leftMs = usedAtMs + idleMs! - clock.now();
      if (leftMs > 0) arm(leftMs);
      else if (options.isBusy()) arm(idleMs!);
      else void options.sleep();
    });
  }

  let onUse: (() => void) | undefined;

  return {
    async quiet(isQuiet, withinMs) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(withinMs, resolve);
      onUse = () => isQuiet() && resolve();
      await promise;
      cancel();
      onUse = undefined;
    },
    used() {
      onUse?.();
      if (idleMs === undefined) return;
      usedAtMs = clock.now();
      if (cancelTimer === undefined) arm(idleMs);
    },
    cancel() {
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}
