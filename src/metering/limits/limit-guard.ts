/** Counts calls before they go on, and lets go of their places when they are over, whatever came of them. */

import type { CallGuard, GuardedCall, Proceed } from '../../kernel/call-guard.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import type { Entered, Limits } from './limits.ts';

export function createLimitGuard(limits: Pick<Limits, 'enter' | 'priorityOf'>): CallGuard {
  async function finish(held: Entered, call: GuardedCall, next: Proceed): Promise<JsonObject> {
    try {
      return await next(call);
    } finally {
      held?.leave();
    }
  }

  /** As urgent as the caller's plan lets it be. */
  function proceed(held: Entered, call: GuardedCall, next: Proceed): Promise<JsonObject> {
    const priority = limits.priorityOf(call.principal);
    const sent = priority === undefined || priority === 'high' ? call : { ...call, maxPriority: priority };
    return held ? finish(held, sent, next) : next(sent);
  }

  return {
    name: 'limits',
    run(call, next) {
      const { principal, server, method, name, definition } = call;
      try {
        const entered = limits.enter({
          principal,
          server: server.id,
          // Names that no server has listed would be counted without end.
          tool: method === 'tools/call' && definition ? name : undefined,
        });
        return entered instanceof Promise
          ? entered.then((held) => proceed(held, call, next))
          : proceed(entered, call, next);
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}
