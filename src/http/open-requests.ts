/** Counts requests being served, so that a stop can wait for them and for nothing else. */

import type { ServerResponse } from 'node:http';

export interface OpenRequests {
  add(response: ServerResponse): void;
  /** Resolves when none is left. */
  whenNone(): Promise<void>;
}

export function createOpenRequests(): OpenRequests {
  let open = 0;
  let waiting = Promise.withResolvers<void>();
  return {
    add(response) {
      open += 1;
      response.once('close', () => {
        open -= 1;
        if (open > 0) return;
        waiting.resolve();
        waiting = Promise.withResolvers<void>();
      });
    },
    whenNone: () => (open === 0 ? Promise.resolve() : waiting.promise),
  };
}
