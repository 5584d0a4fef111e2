/** What a deployment report says in numbers: percentiles, and failures by their cause. */

import type { PhaseReport } from '../contract/rest/deployment-routes.ts';

type FailureGroup = PhaseReport['failures'][number];

/** One instance that failed at a step. */
export interface Failure {
  readonly step: FailureGroup['step'];
  readonly server: string;
  readonly cause: string;
}

/** Failures of one step and one cause together; a server's own id in its cause is left out of the comparison. */
export function groupFailures(failures: readonly Failure[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const { step, server, cause } of failures) {
    const told = server === '' ? cause : cause.replaceAll(server, '<server>');
    const key = `${step} ${told}`;
    const group = groups.get(key) ?? { step, cause: told, servers: [] };
    if (server !== '') group.servers.push(server);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The nearest-rank percentile, rounded to a tenth; 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return Math.round(value * 10) / 10;
}
