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
  /** Requests that were refused at the door, by the code of the error. */
  readonly refusals: ReadonlyMap<string, number>;
  readonly onRefused: (code: string) => void;
  /** Sign-ins with a password, by how they came out. */
  readonly logins: ReadonlyMap<string, number>;
  readonly onLogin: (outcome: string) => void;
  /** Tokens given to clients, by kind. */
  readonly tokens: ReadonlyMap<string, number>;
  readonly onToken: (kind: string) => void;
  readonly incidents: IncidentLog;
  /** Forgets servers that leave the pool for good; returns the way to stop. */
  follow(pool: Pool): () => void;
}

export function createMeters(deps: { readonly logger: Logger; readonly clock: Clock }): Meters {
  const calls = createCallMeter();
  const listeners = new Set<OnCall>();
  const incidents = createIncidentLog(deps);
  const refusals = new Map<string, number>();
  const logins = new Map<string, number>();
  const tokens = new Map<string, number>();
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
    refusals,
    onRefused: (code) => void refusals.set(code, (refusals.get(code) ?? 0) + 1),
    logins,
    onLogin: (outcome) => void logins.set(outcome, (logins.get(outcome) ?? 0) + 1),
    tokens,
    onToken: (kind) => void tokens.set(kind, (tokens.get(kind) ?? 0) + 1),
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
