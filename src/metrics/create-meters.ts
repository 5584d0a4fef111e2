/** The counters that the parts count into while they work; `create-metrics.ts` reads them. */

import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { OnCall } from '../kernel/observations.ts';
import type { Pool } from '../pool/pool.ts';
import { type CallMeter, createCallMeter } from './call-meter.ts';
import { createIncidentLog, type IncidentLog } from './incident-log.ts';
import { createMemoryMeter, type MemoryMeter } from './memory-meter.ts';

export interface Meters {
  readonly calls: CallMeter;
  /** Counts a finished call, and tells whoever listens. */
  readonly onCall: OnCall;
  /** Hears of each finished call; returns the way to stop. */
  listen(listener: OnCall): () => void;
  readonly memory: MemoryMeter;
  readonly incidents: IncidentLog;
  /** Forgets servers that leave the pool for good; returns the way to stop. */
  follow(pool: Pool): () => void;
}

export function createMeters(deps: { readonly logger: Logger; readonly clock: Clock }): Meters {
  const calls = createCallMeter();
  const listeners = new Set<OnCall>();
  const incidents = createIncidentLog(deps);
  return {
    calls,
    onCall(call) {
      calls.count(call);
      for (const listener of listeners) listener(call);
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    memory: createMemoryMeter(),
    incidents,
    follow: (pool) =>
      pool.events.on((event) => {
        const { id } = event.instance.spec;
        if (event.kind !== 'removed' || pool.get(id)) return;
        calls.forget(id);
        incidents.forget(id);
      }),
  };
}
