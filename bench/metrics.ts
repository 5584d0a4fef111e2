/** What counting costs a call, and a scrape with 1,000 servers. The last line is JSON. */

import type { FinishedCall } from '../src/kernel/observations.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLogger } from '../src/kernel/log.ts';
import type { MemoryClient } from '../src/kernel/memory/operations.ts';
import { createMeters } from '../src/metrics/create-meters.ts';
import { createMetrics } from '../src/metrics/create-metrics.ts';
import type { Pool } from '../src/pool/pool.ts';

const servers = Array.from({ length: 1000 }, (_, n) => `server-${n}`);
const calls = 2_000_000;
const meters = createMeters({ logger: silentLogger, clock: systemClock });

function finished(n: number): FinishedCall {
  return {
    atMs: n,
    durationMs: (n % 97) / 3,
    server: servers[n % servers.length]!,
    method: 'tools/call',
    name: 'echo',
    era: 'modern',
    requestId: 'r',
    outcome: n % 50 === 0 ? 'error' : 'ok',
    code: n % 50 === 0 ? 'UPSTREAM_FAILED' : undefined,
    tries: 1,
  };
}

for (let n = 0; n < 200_000; n += 1) meters.calls.count(finished(n));
const startedAtMs = performance.now();
for (let n = 0; n < calls; n += 1) meters.calls.count(finished(n));
const nanosecondsPerCall = Math.round(((performance.now() - startedAtMs) / calls) * 1e6);

const stats = { journalPending: 0, textPending: 0, keys: 0, commits: 0, repositoryBytes: 0 };
const metrics = createMetrics({
  pool: { instances: () => [] } as unknown as Pool,
  hosts: { census: () => [] },
  gateway: { sessions: { size: 0 } as never, parkedCalls: 0 },
  memory: { call: async () => stats } as unknown as MemoryClient,
  meters,
});
await metrics.scrape();
const scrapeStartedAtMs = performance.now();
const { text } = await metrics.scrape();
const scrapeMs = Math.round(performance.now() - scrapeStartedAtMs);
console.info(
  JSON.stringify({
    nanosecondsPerCall,
    servers: servers.length,
    scrapeMs,
    scrapeBytes: text.length,
    lines: text.split('\n').length,
  }),
);
