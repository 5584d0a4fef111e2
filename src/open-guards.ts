/** What stands before each call, the first outermost. Part of the composition root, like `coordinator.ts`. */

import { type CallGuard, joinGuards } from './kernel/call-guard.ts';

export interface GuardParts {
  /** Innermost: only for a call that is let through is a user asked to sign in somewhere. */
  readonly credentials: CallGuard;
}

/** The guards as one; undefined when none is needed. */
export function openGuards({ credentials }: GuardParts): CallGuard['run'] | undefined {
  const guards: CallGuard[] = [credentials];
  return joinGuards(guards);
}
