/** What stands before each call, the first outermost. Part of the composition root, like `coordinator.ts`. */

import { type CallGuard, joinGuards } from './kernel/call-guard.ts';
import { createLimitGuard } from './metering/limits/limit-guard.ts';
import type { Limits } from './metering/limits/limits.ts';

/** The guards as one; undefined when none is needed. */
export function openGuards({ limits }: { readonly limits: Limits }): CallGuard['run'] | undefined {
  // Limits may come with a reload, so their guard is always there.
  const guards: CallGuard[] = [createLimitGuard(limits)];
  return joinGuards(guards);
}
