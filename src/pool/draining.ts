/** Instances that have left the pool and may still finish the calls they have. */

import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { Instance } from './instance.ts';

export interface Draining {
  /** Resolves when the instance has finished its calls, or had `drainMs`, and is retired. */
  add(instance: Instance, drainMs: number): Promise<void>;
  /** Retires all that are left, at once. */
  retireAll(): Promise<void>;
}

export function createDraining({ clock, logger }: { clock: Clock; logger: Logger }): Draining {
  const leaving = new Map<Instance, Promise<void>>();

  /** Whoever found the instance just before it left the pool has called by the next turn of the event loop. */
  async function whenQuiet({ work }: Instance): Promise<void> {
    do {
      await work.whenNone();
      await setImmediate();
    } while (work.size > 0);
  }

  async function drain(instance: Instance, drainMs: number): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(drainMs, resolve);
    });
    await Promise.race([whenQuiet(instance), late]);
    cancel();
    const { size } = instance.work;
    if (size > 0)
      logger.warn({ server: instance.spec.id, calls: size }, 'calls were cut off after the drain');
    await instance.retire();
  }

  return {
    add(instance, drainMs) {
      if (drainMs <= 0) return instance.retire();
      const draining = drain(instance, drainMs).finally(() => leaving.delete(instance));
      leaving.set(instance, draining);
      return draining;
    },
    async retireAll() {
      await Promise.all([...leaving.keys()].map((instance) => instance.retire()));
    },
  };
}
