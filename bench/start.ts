/**
 * Seconds and memory until the coordinator is ready with 1, 20, 100 and 1,000 built-in instances.
 * `node bench/start.ts [--counts 1,20]`; last line: one JSON object.
 */

import { parseArgs } from 'node:util';
import { startCoordinator } from '../test/e2e/start-coordinator.ts';

const { values } = parseArgs({ options: { counts: { type: 'string', default: '1,20,100,1000' } } });

interface Row {
  readonly servers: number;
  readonly seconds: number;
  readonly rssMiB: number;
}

/** From the start of the process to its ready line; the memory is that of the whole process. */
async function measure(servers: number): Promise<Row> {
  const before = performance.now();
  await using coordinator = await startCoordinator({ servers, timeoutMs: 180_000 });
  const seconds = (performance.now() - before) / 1000;
  const response = await fetch(`${coordinator.origin}/api/v1/status`);
  const { rssBytes } = (await response.json()) as { rssBytes: number };
  return { servers, seconds: Math.round(seconds * 100) / 100, rssMiB: Math.round(rssBytes / 1024 / 1024) };
}

const rows: Row[] = [];
for (const count of values.counts.split(',')) {
  const row = await measure(Number(count));
  rows.push(row);
  process.stdout.write(`${row.servers} servers: ${row.seconds} s, ${row.rssMiB} MiB\n`);
}
process.stdout.write(`${JSON.stringify({ bench: 'start', rows })}\n`);
