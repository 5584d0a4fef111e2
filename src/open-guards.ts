/** What stands before each call, the first outermost. Part of the composition root, like `coordinator.ts`. */

import { type CallGuard, joinGuards } from './kernel/call-guard.ts';

/** The guards as one; undefined when none is needed. */
export function openGuards(): CallGuard['run'] | undefined {
  const guards: CallGuard[] = [];
  return joinGuards(guards);
}
