/** Reports of deployments as a table, with what went wrong below it. */

import type { PhaseReport } from '../../contract/rest/deployment-routes.ts';
import type { CliContext } from '../context.ts';
import { note, plainText, printTable } from '../output.ts';

/** Fifty servers may take long to start; the coordinator bounds each by itself. */
export const phaseTimeoutMs = 3_600_000;

const shownServers = 5;

/** A row a phase; the causes of failures go to standard error. */
export function printReports(context: CliContext, reports: readonly PhaseReport[]): void {
  printTable(context, reports, [
    { title: 'PHASE', value: ({ phase }) => phase, alignRight: true },
    { title: 'OUTCOME', value: ({ outcome }) => outcome },
    { title: 'SERVERS', value: ({ servers }) => servers.length, alignRight: true },
    { title: 'KEPT', value: ({ kept }) => kept, alignRight: true },
    { title: 'START MS', value: ({ timings }) => timings && wholeStart(timings), alignRight: true },
    { title: 'CHECK MS', value: ({ timings }) => timings?.checkMs, alignRight: true },
    { title: 'P50 MS', value: ({ timings }) => timings?.checkP50Ms, alignRight: true },
    { title: 'P95 MS', value: ({ timings }) => timings?.checkP95Ms, alignRight: true },
    { title: 'AT', value: ({ at }) => at },
    { title: 'TITLE', value: ({ title }) => title },
  ]);
  for (const { phase, failures } of reports) {
    for (const { step, cause, servers } of failures) {
      const more = servers.length > shownServers ? ` and ${servers.length - shownServers} more` : '';
      const which = servers.length === 0 ? '' : ` (${servers.slice(0, shownServers).join(', ')}${more})`;
      note(context, plainText(`phase ${phase}: ${step}: ${cause}${which}`));
    }
  }
}

function wholeStart({ addMs, startMs }: NonNullable<PhaseReport['timings']>): number {
  return Math.round((addMs + startMs) * 10) / 10;
}
