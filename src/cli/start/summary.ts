/** The short table after a start: one row a category. */

import type { ServerItem } from '../../contract/rest/server-routes.ts';

/** One row of the table. */
export interface CategoryRow {
  readonly category: string;
  readonly instances: number;
  /** e.g. `3100-3104, 3600`. */
  readonly ports: string;
  /** e.g. `5 ready, 1 failed`. */
  readonly health: string;
}

/** Ports as ranges, in order. */
export function formatPorts(ports: readonly number[]): string {
  const sorted = [...new Set(ports)].sort((a, b) => a - b);
  const ranges: { from: number; to: number }[] = [];
  for (const port of sorted) {
    const last = ranges.at(-1);
    if (last && port === last.to + 1) last.to = port;
    else ranges.push({ from: port, to: port });
  }
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}

/** True for a server that answers a call now: ready, or asleep until its first call. */
export function isUp({ state, lazy }: ServerItem): boolean {
  return state === 'ready' || state === 'degraded' || state === 'sleeping' || (lazy && state === 'stopped');
}

/** Categories in the order of their first port. */
export function summarise(servers: readonly ServerItem[]): CategoryRow[] {
  const byCategory = Map.groupBy(
    servers.toSorted((a, b) => a.port - b.port),
    ({ category }) => category,
  );
  return [...byCategory].map(([category, members]) => ({
    category,
    instances: members.length,
    ports: formatPorts(members.map(({ port }) => port)),
    health: [...Map.groupBy(members, ({ state }) => state)]
      .map(([state, { length }]) => `${length} ${state}`)
      .join(', '),
  }));
}
