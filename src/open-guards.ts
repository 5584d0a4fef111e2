/** What stands before each call, the first outermost. Part of the composition root, like `coordinator.ts`. */

import type { Guardrails } from './guardrails/compile-guardrails.ts';
import { createGuardrailGuard } from './guardrails/guard-calls.ts';
import { createPolicyGuard } from './identity/policies/policy-guard.ts';
import { type CallGuard, joinGuards } from './kernel/call-guard.ts';
import type { OnFinding } from './kernel/observations.ts';
import { createLimitGuard } from './metering/limits/limit-guard.ts';
import type { Limits } from './metering/limits/limits.ts';
import type { Audit } from './open-audit.ts';
import type { PolicyParts } from './open-policy.ts';

export interface GuardParts {
  readonly audit: Audit | undefined;
  readonly limits: Limits;
  /** Absent where everybody is the owner. */
  readonly policy: PolicyParts | undefined;
  readonly guardrails: Guardrails;
  readonly onFinding: OnFinding;
  /** Innermost: only for a call that is let through is a user asked to sign in somewhere. */
  readonly credentials: CallGuard;
}

/** The guards as one. */
export function openGuards(parts: GuardParts): CallGuard['run'] | undefined {
  const { audit, limits, policy, guardrails, onFinding, credentials } = parts;
  const guards: CallGuard[] = [];
  if (audit) guards.push(audit.guard);
  // Limits may come with a reload, so their guard is always there.
  guards.push(createLimitGuard(limits));
  if (policy) guards.push(createPolicyGuard(policy));
  if (!guardrails.isOff) guards.push(createGuardrailGuard(guardrails, onFinding));
  guards.push(credentials);
  return joinGuards(guards);
}
