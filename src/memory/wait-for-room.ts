/** Back-pressure: writers go as fast as Git does, once so many writes wait for it. */

import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';

const maxWaitMs = 10_000;
const pollMs = 20;

/** Resolves when there is room. Throws OVERLOADED after ten seconds. */
export async function waitForRoom(isFull: () => boolean, clock: Clock): Promise<void> {
  for (let waitedMs = 0; isFull(); waitedMs += pollMs) {
    if (waitedMs >= maxWaitMs) throw new AppError('OVERLOADED', { problem: 'too many writes wait for Git' });
    await new Promise<void>((resolve) => {
      clock.after(pollMs, resolve);
    });
  }
}
