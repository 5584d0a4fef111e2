/** Background threads give way to the coordinator's own thread where there are fewer processors than threads. */

import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Makes the calling thread nicer by so much (0 to 19). Only Linux has priorities of threads; elsewhere, or where
 * it is not allowed, nothing happens.
 */
export function lowerPriority(nice: number): void {
  if (process.platform !== 'linux') return;
  try {
    // `<process>/task/<thread>`: see proc(5), thread-self.
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (Number.isSafeInteger(thread) && thread !== process.pid) setPriority(thread, nice);
  } catch {
    // A sandbox may forbid it; it works without.
  }
}
