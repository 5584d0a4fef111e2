/**
 * What places and scaling add to a call: processor nanoseconds per call through a real instance whose server answers at once, without a
 * limit, with one that is not reached, with a queue of 1,000 before it, and with replicas that follow the load.
 * `node bench/queue.ts [--calls 200000]`; last line: one JSON object.
 */

import { parseArgs } from 'node:util';
import type { InstanceSpec } from '../src/catalog/instance-spec.ts';
import { systemClock } from '../src/kernel/clock.ts';
import { silentLogger } from '../src/kernel/log.ts';
import { defaultHealth, defaultQueue, defaultScale } from '../src/kernel/pool-options.ts';
import type { Instance } from '../src/pool/instance.ts';
import { createPool } from '../src/pool/pool.ts';
import { createWaitLine, type Waiter } from '../src/pool/scale/wait-line.ts';
import { connectScripted, createScriptedUpstream } from '../test/fixtures/scripted-upstream.ts';

const { values } = parseArgs({ options: { calls: { type: 'string', default: '200000' } } });
const calls = Number(values.calls);
const rounds = 7;

const upstream = createScriptedUpstream('legacy', { 'tools/list': () => ({ tools: [] }), ping: () => ({}) });
const answer = {};

async function openInstance(change: Partial<InstanceSpec>): Promise<Instance> {
  const pool = createPool({
    async connect(_spec, events) {
      const connection = await connectScripted(upstream, events);
      const listed = connection.request.bind(connection);
      const request: typeof connection.request = (method, ...rest) =>
        method === 'tools/call' ? Promise.resolve(answer) : listed(method, ...rest);
      return { ...connection, request };
    },
    listings: { get: async () => undefined, put: async () => {} },
    clock: systemClock,
    logger: silentLogger,
    health: { ...defaultHealth, checkIntervalMs: 0 },
  });
  const instance = await pool.add({
    id: 'a',
    name: 'a',
    alias: 'a',
    title: 'a',
    category: 'custom',
    port: 4100,
    replicas: 2,
    lazy: false,
    source: 'config',
    launch: { kind: 'stdio', command: 'never', args: [], env: {}, era: 'auto' },
    listingKey: 'a',
    ...change,
  });
  await instance.start();
  return instance;
}

/** Time of processors, which other programs on the machine do not lengthen as they do that of the clock. */
function nsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

/** One call as the gateway sends it. */
async function call(instance: Instance): Promise<void> {
  const place = instance.places && (await instance.places.take({}));
  try {
    const connection = await (place ? place.connect() : instance.acquire());
    await instance.request('tools/call', answer, { place }, connection);
  } finally {
    place?.leave();
  }
}

/** The best round, nanoseconds a call, with so many callers at a time. */
async function measure(instance: Instance, callers: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    let left = calls;
    const caller = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await call(instance);
      }
    };
    const before = process.cpuUsage();
    await Promise.all(Array.from({ length: callers }, caller));
    times.push(nsSince(before) / calls);
  }
  return Math.round(Math.min(...times));
}

/** The best round, nanoseconds for one that joins a line of so many and one that is let in. */
function measureLine(waiting: number): number {
  const line = createWaitLine<Waiter>(waiting + 1);
  const join = () => line.add({ priority: 'normal' });
  for (let n = 0; n < waiting; n += 1) join();
  const times = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    for (let n = 0; n < calls; n += 1) {
      join();
      line.remove(line.first()!, true);
    }
    return nsSince(before) / calls;
  });
  return Math.round(Math.min(...times));
}

const limited = { queue: { ...defaultQueue, maxWaiting: 2000 } };
const cases: readonly (readonly [string, Partial<InstanceSpec>, number])[] = [
  ['no limit', {}, 16],
  ['replicas follow the load', { scale: { ...defaultScale, min: 2, max: 3, targetConcurrency: 1000 } }, 16],
  ['limit not reached', { ...limited, maxConcurrency: 100 }, 16],
  ['no limit, 1,016 callers', {}, 1016],
  ['1,000 wait', { ...limited, maxConcurrency: 8 }, 1016],
];
const rows: { what: string; nsPerCall: number }[] = [];
for (const [what, change, callers] of cases)
  rows.push({ what, nsPerCall: await measure(await openInstance(change), callers) });
for (const waiting of [10, 1000, 100_000])
  rows.push({ what: `in and out of a line of ${waiting}`, nsPerCall: measureLine(waiting) });
for (const { what, nsPerCall } of rows) process.stdout.write(`${what.padEnd(30)} ${nsPerCall} ns\n`);
process.stdout.write(`${JSON.stringify({ bench: 'queue', rows })}\n`);
process.exit(0);
