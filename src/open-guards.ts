/** What stands before each call, the first outermost. Part of the composition root, like `coordinator.ts`. */

import { createPolicyGuard } from './identity/policies/policy-guard.ts';
import { type CallGuard, joinGuards } from './kernel/call-guard.ts';
import type { PolicyParts } from './open-policy.ts';

export interface GuardParts {
  /** Absent where everybody is the owner. */
  readonly policy?: PolicyParts | undefined;
}

/** The guards as one; undefined when none is needed. */
export function openGuards({ policy }: GuardParts): CallGuard['run'] | undefined {
  const guards: CallGuard[] = [];
  if (policy) guards.push(createPolicyGuard(policy));
  return joinGuards(guards);
}
