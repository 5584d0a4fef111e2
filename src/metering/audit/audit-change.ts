/** Notes work that is no call of a tool: a request over REST, a push, a change of keys. */

import type { AuditChange, AuditTrail } from '../../kernel/audit.ts';
import type { Clock } from '../../kernel/clock.ts';
import { outcomeOf } from './audit-guard.ts';

export function createAuditChange(trail: AuditTrail, clock: Clock): AuditChange {
  return async ({ isUrgent = false, ...facts }, work, judge) => {
    if (!isUrgent) trail.assertWritable();
    const atMs = clock.now();
    const startedMs = clock.elapsed();
    try {
      const result = await work();
      const latencyMs = clock.elapsed() - startedMs;
      trail.note({ ...facts, atMs, latencyMs, outcome: 'ok', ...judge?.(result) });
      return result;
    } catch (error) {
      trail.note({ ...facts, atMs, latencyMs: clock.elapsed() - startedMs, ...outcomeOf(error) });
      throw error;
    }
  };
}
