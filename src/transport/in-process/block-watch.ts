/** Notices that the event loop of a thread stands still. */

import { systemClock } from '../../kernel/clock.ts';
import { beatMs, type Pulse } from './pulse.ts';

/** Looks without a beat in between, so many of them, mean that it is blocked: some five seconds. */
const missesToBlock = 20;
/** So many, and it will not come back: some half a minute. */
const missesToEnd = 120;

/**
 * Calls `onBlocked` once the thread has not beaten for a while, then `onFree` when it beats again, or `onHopeless`.
 * Counted in looks and not in time, so that a machine that was asleep, or this thread being late itself, accuses
 * nobody. Always by the system's clock: the thread has no other.
 */
export function watchBlock(
  pulse: Pulse,
  on: { readonly onBlocked: () => void; readonly onFree: () => void; readonly onHopeless: () => void },
): () => void {
  let seen = pulse.beats;
  let misses = 0;
  let cancel = systemClock.after(beatMs, look);

  function look(): void {
    const { beats } = pulse;
    // A thread that has not come up yet beats not at all.
    const isBeating = beats !== seen || beats === 0;
    seen = beats;
    if (isBeating && misses >= missesToBlock) on.onFree();
    misses = isBeating ? 0 : misses + 1;
    if (misses === missesToBlock) on.onBlocked();
    if (misses === missesToEnd) on.onHopeless();
    cancel = systemClock.after(beatMs, look);
  }

  return () => cancel();
}
