/** Notes each call of a client: the outermost guard, so that it sees what the others refuse. */

import type { AuditEvent, AuditOutcome, AuditTrail } from '../../kernel/audit.ts';
import type { CallGuard, GuardedCall } from '../../kernel/call-guard.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError, errorTable } from '../../kernel/errors.ts';
import { codeOf } from '../../kernel/observations.ts';

const refusedStatuses: ReadonlySet<number> = new Set([401, 403, 429]);

/** How something ended that threw. */
export function outcomeOf(error: unknown): { outcome: AuditOutcome; code: string } {
  const isRefusal = error instanceof AppError && refusedStatuses.has(errorTable[error.code].http);
  return { outcome: isRefusal ? 'refused' : 'error', code: codeOf(error) };
}

/** What is digested: arguments where a method has them, else all but what is about the link. */
function inputOf({ params, method }: GuardedCall): unknown {
  if (method === 'tools/call' || method === 'prompts/get') return params['arguments'];
  const { _meta, ...rest } = params;
  return rest;
}

export function createAuditGuard(trail: AuditTrail, clock: Clock): CallGuard {
  return {
    name: 'audit',
    async run(call, next) {
      trail.assertWritable();
      const atMs = clock.now();
      const startedMs = clock.elapsed();
      const note = (outcome: AuditOutcome, code?: string): void => {
        const event: AuditEvent = {
          atMs,
          latencyMs: clock.elapsed() - startedMs,
          way: 'mcp',
          principal: call.principal,
          action: call.method,
          server: call.server.id,
          target: call.name,
          arguments: inputOf(call),
          outcome,
          code,
          requestId: call.requestId,
          definition: call.definition,
        };
        trail.note(event);
      };
      try {
        const result = await next(call);
        note(result['isError'] === true ? 'tool-error' : 'ok');
        return result;
      } catch (error) {
        const { outcome, code } = outcomeOf(error);
        note(outcome, code);
        throw error;
      }
    },
  };
}
