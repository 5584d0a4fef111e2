/** The counters that the parts count into while they work; `create-metrics.ts` reads them. */

import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { OnCall, OnFinding } from '../kernel/observations.ts';
import type { OnLimited } from '../kernel/rate-limits.ts';
import type { Pool } from '../pool/pool.ts';
import { type CallMeter, createCallMeter } from './call-meter.ts';
import { createFindingMeter, type FindingMeter } from './finding-meter.ts';
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
  /** What limits refused, by the kind of the rule as `per window`. */
  readonly limited: ReadonlyMap<string, { readonly per: string; readonly window: string; count: number }>;
  readonly onLimited: OnLimited;
  /** True while what counts for several coordinators does not answer; undefined where nothing does. */
  readonly limitsAway: boolean | undefined;
  readonly onLimitsAway: (isAway: boolean) => void;
  /** Sign-ins with a password, by how they came out. */
  readonly logins: ReadonlyMap<string, number>;
  readonly onLogin: (outcome: string) => void;
  /** Tokens given to clients, by kind. */
  readonly tokens: ReadonlyMap<string, number>;
  readonly onToken: (kind: string) => void;
  readonly incidents: IncidentLog;
  readonly findings: FindingMeter;
  /** Counts what guardrails find, and tells whoever listens. */
  readonly onFinding: OnFinding;
  /** Hears of each finding; returns the way to stop. */
  listenToFindings(listener: OnFinding): () => void;
  /** Forgets servers that leave the pool for good; returns the way to stop. */
  follow(pool: Pool): () => void;
}

export function createMeters(deps: { readonly logger: Logger; readonly clock: Clock }): Meters {
  const calls = createCallMeter();
  const listeners = new Set<OnCall>();
  const incidents = createIncidentLog(deps);
  const findings = createFindingMeter();
  const findingListeners = new Set<OnFinding>();
  const refusals = new Map<string, number>();
  const limited = new Map<string, { per: string; window: string; count: number }>();
  let limitsAway: boolean | undefined;
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
    limited,
    onLimited(per, window) {
      const kind = `${per} ${window}`;
      const known = limited.get(kind);
      if (known) known.count += 1;
      else limited.set(kind, { per, window, count: 1 });
    },
    get limitsAway() {
      return limitsAway;
    },
    onLimitsAway(isAway) {
      limitsAway = isAway;
    },
    logins,
    onLogin: (outcome) => void logins.set(outcome, (logins.get(outcome) ?? 0) + 1),
    tokens,
    onToken: (kind) => void tokens.set(kind, (tokens.get(kind) ?? 0) + 1),
    incidents,
    findings,
    onFinding(finding) {
      findings.count(finding);
      for (const listener of findingListeners) listener(finding);
    },
    listenToFindings(listener) {
      findingListeners.add(listener);
      return () => void findingListeners.delete(listener);
    },
    follow: (pool) =>
      pool.events.on((event) => {
        const { id } = event.instance.spec;
        if (event.kind !== 'removed' || pool.get(id)) return;
        calls.forget(id);
        incidents.forget(id);
      }),
  };
}
