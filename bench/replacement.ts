/**
 * How fast what died is replaced: 100 built-in instances on two host threads under load, one of which crashes its
 * thread, then one stdio server that is killed. Prints the milliseconds until the last neighbour answers again, until
 * the culprit does, and the calls that failed meanwhile, by code; the limit is starting an empty worker thread, and an
 * empty Node.js process, in the same run.
 *
 * `node bench/replacement.ts [--instances 100] [--rounds 5]`. Last line: one JSON object.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Launch } from '../src/catalog/instance-spec.ts';
import { createGateway } from '../src/gateway/gateway.ts';
import type { JsonObject } from '../src/kernel/json-rpc.ts';
import { codeOf } from '../src/kernel/observations.ts';
import type { Instance } from '../src/pool/instance.ts';
import { openRealPool } from '../test/fixtures/real-pool.ts';
import { specOf } from '../test/fixtures/spec-of.ts';
import { upstreamPath } from '../test/fixtures/upstream-process.ts';

const { values } = parseArgs({
  options: { instances: { type: 'string', default: '100' }, rounds: { type: 'string', default: '5' } },
});
const callers = 16;
const sessionServer = fileURLToPath(new URL('../test/fixtures/session-server.ts', import.meta.url));
const builtIn: Launch = { kind: 'in-process', module: upstreamPath('upstream-built-in'), settings: {} };
const stdio: Launch = {
  kind: 'stdio',
  command: process.execPath,
  args: [sessionServer],
  env: {},
  era: 'legacy',
};

const round = (value: number): number => Math.round(value);
const median = (sorted: readonly number[]): number => round(sorted[sorted.length >> 1] ?? Number.NaN);
const spread = (figures: readonly number[]) => {
  const sorted = figures.toSorted((a, b) => a - b);
  return { medianMs: median(sorted), maxMs: round(sorted.at(-1) ?? Number.NaN) };
};

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

const emptyWorker = () =>
  timed(async () => {
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true });
    await once(worker, 'message');
    await worker.terminate();
  });
const emptyProcess = () =>
  timed(async () => {
    await once(spawn(process.execPath, ['-e', ''], { stdio: 'ignore' }), 'exit');
  });

await using real = await openRealPool({ hostCount: 2, drainMs: 5000 });
const { pool, parts } = real;
const gateway = createGateway({ pool, limits: { maxSessions: 10, idleMs: 60_000 } });
parts.defer(() => gateway.close());

let lastRequest = 0;
async function call(server: string, name: string, args: JsonObject = {}): Promise<JsonObject> {
  const requestId = `r${(lastRequest += 1)}`;
  const exchange = {
    era: 'modern' as const,
    peer: { key: requestId, capabilities: {} },
    requestId,
    signal: new AbortController().signal,
    notify() {},
  };
  return await gateway.handle(
    gateway.mounts.view(`server:${server}`),
    'tools/call',
    { name, arguments: args },
    exchange,
  );
}

async function add(id: string, launch: Launch): Promise<Instance> {
  const instance = await pool.add(specOf(id, { launch, listingKey: launch.kind }));
  await instance.start();
  return instance;
}

/** Milliseconds from now until the server has answered a call that began after now. */
const untilAnswer = (server: string, tool: string): Promise<number> =>
  timed(async () => {
    for (;;) {
      try {
        return await call(server, tool);
      } catch {
        await delay(5);
      }
    }
  });

/** Calls to `servers` in turn while `work` goes on; how many ended in which way. */
async function under<T>(servers: readonly string[], tool: string, work: () => Promise<T>) {
  const ended: Record<string, number> = {};
  const over = new AbortController();
  let n = 0;
  const caller = async () => {
    while (!over.signal.aborted) {
      const outcome = await call(servers[(n += 1) % servers.length]!, tool).then(() => 'ok', codeOf);
      ended[outcome] = (ended[outcome] ?? 0) + 1;
    }
  };
  const calling = Promise.all(Array.from({ length: callers }, caller));
  await delay(200);
  const result = await work();
  over.abort();
  await calling;
  return { result, ended };
}

const ids = Array.from({ length: Number(values.instances) }, (_, n) => `built-in-${n}`);
for (const id of ids) await add(id, builtIn);
const session = await add('session', stdio);

const neighbours: number[] = [];
const culprits: number[] = [];
const killed: number[] = [];
const calls: Record<string, Record<string, number>[]> = { host: [], process: [] };
for (let at = 0; at < Number(values.rounds); at += 1) {
  const culprit = ids[at]!;
  const others = ids.filter((id) => id !== culprit);
  const crash = await under(others, 'greet', async () => {
    await call(culprit, 'crash').catch(() => {});
    const back = untilAnswer(culprit, 'greet');
    neighbours.push(Math.max(...(await Promise.all(others.map((id) => untilAnswer(id, 'greet'))))));
    culprits.push(await back);
  });
  calls['host']!.push(crash.ended);
  const kill = await under(['session'], 'get', async () => {
    process.kill(session.pid!, 'SIGKILL');
    killed.push(await untilAnswer('session', 'pid'));
  });
  calls['process']!.push(kill.ended);
}
const limits = { worker: [] as number[], process: [] as number[] };
for (let at = 0; at < 5; at += 1) {
  limits.worker.push(await emptyWorker());
  limits.process.push(await emptyProcess());
}
const report = {
  instances: ids.length,
  host: {
    allNeighboursAnswer: spread(neighbours),
    culpritAnswers: spread(culprits),
    emptyWorker: spread(limits.worker),
    calls: calls['host'],
  },
  process: { answers: spread(killed), emptyProcess: spread(limits.process), calls: calls['process'] },
};
for (const [name, figures] of Object.entries(report))
  process.stdout.write(`${name}: ${JSON.stringify(figures)}\n`);
process.stdout.write(`${JSON.stringify({ bench: 'replacement', ...report })}\n`);
