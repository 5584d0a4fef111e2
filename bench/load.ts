/**
 * The load generator, a process of its own: `node load.ts '<Load as JSON>'` calls one tool and prints one JSON
 * line. It writes HTTP by hand, so that a call costs it little beside what it measures.
 *
 * Without `perSecond`, `connections` callers each send the next call when they have the last answer. With it,
 * calls are due at a fixed rate whatever the answers do, and a call's time counts from when it was due: a
 * stall is felt by all that were due in it (no coordinated omission).
 */

import { createLoadClient, type LoadClient } from './load-client.ts';

export interface Load {
  readonly url: string;
  readonly era: 'legacy' | 'modern';
  readonly tool: string;
  readonly connections: number;
  readonly durationMs: number;
  readonly perSecond?: number;
  /** Ends after so many calls, if that is before the time. */
  readonly maxCalls?: number;
}

export interface LoadFigures {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
  readonly firstError?: string;
}

const load = JSON.parse(process.argv[2]!) as Load;
let latencies: number[] = [];
let errors = 0;
let firstError: string | undefined;

async function callFrom(client: LoadClient, dueAtMs: number): Promise<void> {
  try {
    await client.call();
  } catch (error) {
    errors += 1;
    firstError ??= String(error).slice(0, 300);
  }
  latencies.push(performance.now() - dueAtMs);
}

/** Each caller sends its next call at once. */
async function closedLoop(clients: readonly LoadClient[], untilMs: number): Promise<void> {
  const maxCalls = load.maxCalls ?? Infinity;
  await Promise.all(
    clients.map(async (client) => {
      for (let now = performance.now(); now < untilMs && latencies.length < maxCalls; now = performance.now())
        await callFrom(client, now);
    }),
  );
}

/** Calls at a fixed rate; those that find all callers busy wait, and the wait counts. */
async function openLoop(clients: readonly LoadClient[], untilMs: number, perSecond: number): Promise<void> {
  const idle = [...clients];
  const due: number[] = [];
  const running = new Set<Promise<void>>();
  const startMs = performance.now();
  let sent = 0;

  async function finish(call: Promise<void>, client: LoadClient): Promise<void> {
    await call;
    idle.push(client);
    running.delete(call);
    sendDue();
  }

  function sendDue(): void {
    while (due.length > 0 && idle.length > 0) {
      const client = idle.pop()!;
      const call = callFrom(client, due.shift()!);
      running.add(call);
      void finish(call, client);
    }
  }

  for (let now = startMs; now < untilMs; now = performance.now()) {
    for (; startMs + (sent * 1000) / perSecond <= now; sent += 1)
      due.push(startMs + (sent * 1000) / perSecond);
    sendDue();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (running.size > 0) await Promise.all(running);
}

async function run(clients: readonly LoadClient[], forMs: number): Promise<LoadFigures> {
  latencies = [];
  errors = 0;
  const startMs = performance.now();
  if (load.perSecond === undefined) await closedLoop(clients, startMs + forMs);
  else await openLoop(clients, startMs + forMs, load.perSecond);
  const seconds = (performance.now() - startMs) / 1000;
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 100) / 100;
  return {
    calls: sorted.length,
    callsPerSecond: Math.round(sorted.length / seconds),
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    errors,
    ...(firstError !== undefined && { firstError }),
  };
}

const open = createLoadClient(load);
const clients = await Promise.all(Array.from({ length: load.connections }, open));
process.stdout.write(`${JSON.stringify(await run(clients, load.durationMs))}\n`);
for (const client of clients) client.close();
