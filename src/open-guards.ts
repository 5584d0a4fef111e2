/** What stands before each call, the first outermost. Part of the composition root, like `coordinator.ts`. */

import type { Guardrails } from './guardrails/compile-guardrails.ts';
import { createGuardrailGuard } from './guardrails/guard-calls.ts';
import { type CallGuard, joinGuards } from './kernel/call-guard.ts';
import type { OnFinding } from './kernel/observations.ts';
import { createLimitGuard } from './metering/limits/limit-guard.ts';
import type { Limits } from './metering/limits/limits.ts';
import type { Audit } from './open-audit.ts';

export interface GuardParts {
  readonly audit: Audit | undefined;
  readonly limits: Limits;
  readonly guardrails: Guardrails;
  readonly onFinding: OnFinding;
}

/** The guards as one. */
export function openGuards({
  audit,
  limits,
  guardrails,
  onFinding,
}: GuardParts): CallGuard['run'] | undefined {
  // Limits may come with a reload, so their guard is always there.
  const guards: CallGuard[] = [...(audit ? [audit.guard] : []), createLimitGuard(limits)];
  if (!guardrails.isOff) guards.push(createGuardrailGuard(guardrails, onFinding));
  return joinGuards(guards);
}
