/** Requests over REST and Git count against the limits of who sends them, and of all. */

import type { ServerResponse } from 'node:http';
import type { Principal } from '../kernel/principal.ts';
import type { Standing } from '../kernel/rate-limits.ts';
import { isOpenPath } from './needed-permission.ts';
import { tellStandings } from './rate-limit-fields.ts';

interface Held {
  leave(): void;
}

/** What the edge needs of the limits; the composition root has them. */
export interface RequestLimits {
  /** Throws or rejects with RATE_LIMITED or LIMITS_UNAVAILABLE. */
  enter(request: { readonly principal: Principal }): Held | undefined | Promise<Held | undefined>;
  knownStandings(request: { readonly principal: Principal }): readonly Standing[];
}

/** Metrics, how one stands with the limits, and what counts as a call. */
const uncounted = new Set(['/metrics', '/api/v1/limits', '/api/v1/tools/call']);

export function isUncounted(path: string): boolean {
  return uncounted.has(path) || isOpenPath(path);
}

/** Goes on when no limit is used up, at once or when the promise resolves; places are held until the answer is out. */
export function countRequest(
  limits: RequestLimits,
  principal: Principal,
  response: ServerResponse,
  go: () => void,
): Promise<void> | undefined {
  function proceed(held: Held | undefined): void {
    if (held) {
      if (response.destroyed) held.leave();
      else response.once('close', () => held.leave());
    }
    if (response.destroyed) return;
    tellStandings(response, limits.knownStandings({ principal }));
    go();
  }
  const entered = limits.enter({ principal });
  if (entered instanceof Promise) return entered.then(proceed);
  proceed(entered);
  return undefined;
}
