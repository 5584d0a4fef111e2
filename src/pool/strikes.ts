/** Counts how often a server held up the thread it shares with others; too often in a while, and it has to go. */

import type { Clock } from '../kernel/clock.ts';
import { isAppError } from '../kernel/errors.ts';

const limit = 3;
const windowMs = 600_000;

/** Takes why a connection closed; calls `onLimit` with the reason at the third time within ten minutes. */
export function createStrikes(clock: Clock, onLimit: (reason: string) => void): (reason: Error) => void {
  let strikes: number[] = [];
  return (reason) => {
    if (!isAppError(reason) || reason.data['heldUpHost'] !== true) return;
    const now = clock.now();
    strikes = [...strikes.filter((atMs) => now - atMs < windowMs), now];
    if (strikes.length < limit) return;
    strikes = [];
    onLimit(`it held up its host thread ${limit} times in ${windowMs / 60_000} minutes`);
  };
}
