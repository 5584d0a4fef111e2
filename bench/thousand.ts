/**
 * A thousand built-in instances live, and ten thousand servers registered: seconds until ready, resident memory of the
 * coordinator with all of its processes (Linux), and for the registered ones the time of the first call to 200 of them.
 *
 * `node bench/thousand.ts [--live 1000] [--registered 10000]`; the load of the machine is printed with each figure.
 * Last line: one JSON object.
 */

import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { descendantsOf } from '../test/e2e/processes.ts';
import { type RunningCoordinator, startCoordinator } from '../test/e2e/start-coordinator.ts';
import { createRandom } from '../test/harness/random.ts';
import { startRegistered } from '../test/harness/registered-servers.ts';

const { values } = parseArgs({
  options: {
    live: { type: 'string', default: '1000' },
    registered: { type: 'string', default: '10000' },
  },
});
const calls = 200;
/** A listing that is being learned costs processor time; the calls are measured when most are known, or after so long. */
const settleMs = 180_000;

const round = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits;
const load = (): number[] => loadavg().map((value) => round(value));

/** Resident memory of a process and of all below it, MiB; undefined where /proc is not. */
async function residentMiB(pid: number): Promise<number | undefined> {
  const pids = [pid, ...(await descendantsOf(pid))];
  const sizes = await Promise.all(
    pids.map(async (one) => {
      const status = await readFile(`/proc/${one}/status`, 'latin1').catch(() => '');
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
    }),
  );
  const sum = sizes.reduce((total, size) => total + size, 0);
  return sum === 0 ? undefined : Math.round(sum / 1024);
}

async function listed({ origin }: RunningCoordinator): Promise<{ known: number; total: number }> {
  let known = 0;
  let total = 0;
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: '1000', ...(cursor !== undefined && { cursor }) });
    const response = await fetch(`${origin}/api/v1/servers?${query.toString()}`);
    const page = (await response.json()) as { items: { tools?: number }[]; nextCursor?: string };
    total += page.items.length;
    known += page.items.filter(({ tools }) => tools !== undefined).length;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return { known, total };
}

/** Seconds from now until every listing is known; undefined when that takes too long. Asks seldom, for asking costs. */
async function whenAllKnown(coordinator: RunningCoordinator): Promise<number | undefined> {
  const before = performance.now();
  for (;;) {
    const { known, total } = await listed(coordinator);
    const tookMs = performance.now() - before;
    if (known === total) return round(tookMs / 1000);
    if (tookMs > settleMs) return undefined;
    await sleep(3000);
  }
}

function percentile(sorted: readonly number[], share: number): number {
  return round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
}

async function measureLive(count: number): Promise<Record<string, unknown>> {
  const before = performance.now();
  await using coordinator = await startCoordinator({ servers: count, timeoutMs: 300_000 });
  const seconds = round((performance.now() - before) / 1000, 2);
  return { servers: count, seconds, rssMiB: await residentMiB(coordinator.pid), load: load() };
}

async function measureRegistered(count: number): Promise<Record<string, unknown>> {
  await using servers = await startRegistered(count);
  const { coordinator, seconds, call } = servers;
  const readyMiB = await residentMiB(coordinator.pid);
  const random = createRandom(7);
  const timed = async (n: number): Promise<number> => {
    const before = performance.now();
    await call(n);
    return performance.now() - before;
  };
  const firstCalls = async (): Promise<{ p50Ms: number; p99Ms: number }> => {
    const tookMs: number[] = [];
    for (let made = 0; made < calls; made += 1) tookMs.push(await timed(Math.floor(random() * count)));
    const sorted = tookMs.toSorted((a, b) => a - b);
    return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
  };
  const whileLearning = await firstCalls();
  const settled = await whenAllKnown(coordinator);
  return {
    servers: count,
    seconds: round(seconds, 2),
    rssMiB: readyMiB,
    firstCallWhileLearning: whileLearning,
    secondsUntilAllListingsKnown: settled,
    firstCall: await firstCalls(),
    settledMiB: await residentMiB(coordinator.pid),
    load: load(),
  };
}

const live = await measureLive(Number(values.live));
process.stdout.write(`live ${JSON.stringify(live)}\n`);
const registered = await measureRegistered(Number(values.registered));
process.stdout.write(`registered ${JSON.stringify(registered)}\n`);
process.stdout.write(`${JSON.stringify({ bench: 'thousand', live, registered })}\n`);
