/** One timer for all instances whose replicas follow the load; while all of them are at rest it does not run. */

import type { Clock } from '../../kernel/clock.ts';

export interface ScaleTarget {
  /** Looks at the load and acts on it; false when there is nothing to look at until `watch` is called again. */
  look(): boolean;
}

export interface Scaler {
  /** Looks at it from now on, for as long as it wants. */
  watch(target: ScaleTarget): void;
  /** Looks at it no more. */
  forget(target: ScaleTarget): void;
}

/** Time between two looks, milliseconds. */
export const lookIntervalMs = 1000;

export function createScaler(clock: Clock): Scaler {
  const targets = new Set<ScaleTarget>();
  let isArmed = false;

  function arm(): void {
    isArmed = true;
    clock.after(lookIntervalMs, () => {
      isArmed = false;
      for (const target of targets) if (!target.look()) targets.delete(target);
      if (targets.size > 0 && !isArmed) arm();
    });
  }

  return {
    watch(target) {
      targets.add(target);
      if (!isArmed) arm();
    },
    forget(target) {
      targets.delete(target);
    },
  };
}
