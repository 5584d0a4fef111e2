/** Counts calls by server: how many, how long, which errors. A server that has gone is forgotten. */

import type { FinishedCall, OnCall } from '../kernel/observations.ts';
import { createHistogram, type Histogram } from './histogram.ts';

export interface ServerCalls {
  /** Durations by outcome; an outcome that never was has none. */
  readonly durations: ReadonlyMap<FinishedCall['outcome'], Histogram>;
  readonly errors: ReadonlyMap<string, number>;
}

export interface CallMeter {
  readonly servers: ReadonlyMap<string, ServerCalls>;
  readonly count: OnCall;
  forget(server: string): void;
}

interface OwnCalls {
  readonly durations: Map<FinishedCall['outcome'], Histogram>;
  readonly errors: Map<string, number>;
}

export function createCallMeter(): CallMeter {
  const servers = new Map<string, OwnCalls>();

  function callsOf(server: string): OwnCalls {
    const known = servers.get(server);
    if (known) return known;
    const fresh = { durations: new Map(), errors: new Map() };
    servers.set(server, fresh);
    return fresh;
  }

  return {
    servers,
    count({ server, outcome, durationMs, code }) {
      const { durations, errors } = callsOf(server);
      let histogram = durations.get(outcome);
      if (!histogram) {
        histogram = createHistogram();
        durations.set(outcome, histogram);
      }
      histogram.observe(durationMs);
      if (code !== undefined) errors.set(code, (errors.get(code) ?? 0) + 1);
    },
    forget: (server) => void servers.delete(server),
  };
}
