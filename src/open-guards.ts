/** What stands before each call, the first outermost. Part of the composition root, like `coordinator.ts`. */

import type { Guardrails } from './guardrails/compile-guardrails.ts';
import { createGuardrailGuard } from './guardrails/guard-calls.ts';
import { type CallGuard, joinGuards } from './kernel/call-guard.ts';
import type { OnFinding } from './kernel/observations.ts';

export interface GuardParts {
  readonly guardrails: Guardrails;
  readonly onFinding: OnFinding;
}

/** The guards as one; undefined when none is needed. */
export function openGuards({ guardrails, onFinding }: GuardParts): CallGuard['run'] | undefined {
  const guards: CallGuard[] = [];
  if (!guardrails.isOff) guards.push(createGuardrailGuard(guardrails, onFinding));
  return joinGuards(guards);
}
