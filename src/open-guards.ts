/** What stands before each call, the first outermost. Part of the composition root, like `coordinator.ts`. */

import { type CallGuard, joinGuards } from './kernel/call-guard.ts';
import type { Audit } from './open-audit.ts';

/** The guards as one; undefined when none is needed. */
export function openGuards(parts: { readonly audit: Audit | undefined }): CallGuard['run'] | undefined {
  const guards: CallGuard[] = [];
  if (parts.audit) guards.push(parts.audit.guard);
  return joinGuards(guards);
}
