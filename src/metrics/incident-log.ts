/** Counts incidents, and logs each of them; in a storm only the first of each kind in a second. */

import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { type Incident, type IncidentKind, incidentKinds, type OnIncident } from '../kernel/observations.ts';

export interface IncidentLog {
  readonly note: OnIncident;
  /** By kind and server. */
  readonly counts: ReadonlyMap<IncidentKind, ReadonlyMap<string, number>>;
  forget(server: string): void;
}

const sentences: Readonly<Record<IncidentKind, string>> = {
  failover: 'a call goes to another instance',
  retry: 'a call is sent again',
  'breaker-opening': 'an instance is taken out of traffic: its calls failed',
  restart: 'a server is started again',
  'fail-open': 'no healthy instance is left: calls go to sick ones',
};

/** Lines of one kind a second; further ones are counted, and the next line says how many there were. */
const linesPerSecond = 10;

export function createIncidentLog({ logger, clock }: { logger: Logger; clock: Clock }): IncidentLog {
  const counts = new Map(incidentKinds.map((kind) => [kind, new Map<string, number>()]));
  const windows = new Map(incidentKinds.map((kind) => [kind, { startMs: -Infinity, lines: 0, left: 0 }]));

  function write({ kind, ...fields }: Incident): void {
    const window = windows.get(kind)!;
    const now = clock.now();
    if (now - window.startMs >= 1000) Object.assign(window, { startMs: now, lines: 0 });
    if (window.lines >= linesPerSecond) {
      window.left += 1;
      return;
    }
    const { left } = window;
    window.lines += 1;
    window.left = 0;
    logger.warn({ incident: kind, ...fields, ...(left > 0 && { unlogged: left }) }, sentences[kind]);
  }

  return {
    counts,
    note(incident) {
      const own = counts.get(incident.kind)!;
      own.set(incident.server, (own.get(incident.server) ?? 0) + 1);
      write(incident);
    },
    forget(server) {
      for (const own of counts.values()) own.delete(server);
    },
  };
}
