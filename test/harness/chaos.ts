/**
 * The chaos test, `npm run test:chaos`: many servers of all kinds under load from clients of both eras, while they are
 * killed, paused, slowed, made to answer nonsense, and while the config changes. Every answer is checked for being the
 * answer to that very call. Ends with 1 when a call has failed that no fault excuses, when something is left behind, or
 * when memory grows. The last line is JSON. `CHAOS_SEED` repeats the faults of a run, as far as time allows that.
 */

import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../e2e/eventually.ts';
import { descendantsOf, survivorsOf } from '../e2e/processes.ts';
import { startCoordinator } from '../e2e/start-coordinator.ts';
import { callOnce, startCallers } from './chaos/callers.ts';
import { openControlRoom } from './chaos/control-room.ts';
import { createFaults } from './chaos/faults.ts';
import { createFleet, type FleetSize, pluginPath } from './chaos/fleet.ts';
import { descriptorsOf, rssOf, type Sample, slopeOf } from './chaos/gauge.ts';
import { createGuests } from './chaos/guests.ts';
import { startHttpUnits } from './chaos/http-units.ts';
import { createJudge, type Verdict } from './chaos/judge.ts';
import { closeSockets, modernClient } from './chaos/mcp-client.ts';
import { createRandom } from './random.ts';

export interface ChaosOptions {
  readonly size: FleetSize;
  /** How long faults go on. */
  readonly seconds: number;
  readonly callers: number;
  /** Mean time between two faults, milliseconds. */
  readonly faultEveryMs: number;
  readonly seed: number;
}

export interface ChaosReport extends Verdict {
  readonly seed: number;
  readonly servers: number;
  readonly seconds: number;
  readonly callsPerSecond: number;
  readonly reloads: number;
  /** Of the coordinator, and what it had started, that still ran after its stop. */
  readonly processesLeft: number;
  /** Open file descriptors of the coordinator before the first fault and after the last one. */
  readonly descriptors: readonly [number | undefined, number | undefined];
  readonly rssMb: readonly [number, number];
  /** Over the second half, MiB a minute. */
  readonly rssSlope: number;
  readonly sessionsThatWork: number;
}

/** Faults come to an end, and so must what they did, milliseconds. */
const recoveryMs = 40_000;
/** Descriptors that come and go: connections that idle for a while, files that Git just has open. */
const looseDescriptors = 40;

/** MiB a minute over the second half. Half a minute of noise makes some 40; a leak of 10 KiB a call makes twice as much. */
const maxSlope = 80;

/** Runs it; `tell` gets a line for what a reader may want to follow. */
export async function runChaos(options: ChaosOptions, tell: (line: string) => void): Promise<ChaosReport> {
  const { size, seed } = options;
  const random = createRandom(seed);
  await using parts = new AsyncDisposableStack();
  let output = (): string => '';
  const logOf = (id: string): string[] =>
    output()
      .split('\n')
      .filter((line) => line.includes(`"${id}"`))
      .slice(-6);
  const judge = createJudge(() => room, logOf);
  const room = parts.use(
    await openControlRoom({
      onLeft: (unit, pid) => isRunning && judge.left(unit, pid),
      onSpoiled: (id, how) => how === 'half' && id.startsWith('s') && judge.fault(id, 'cut and ended', true),
    }),
  );
  let isRunning = true;
  const http = parts.use(await startHttpUnits(size, room.port, random));
  const fleet = createFleet(size, room.port, http.portOf);
  await http.start(fleet);
  const steady = fleet.servers.filter(({ isGuest }) => !isGuest);
  const startedAtMs = Date.now();
  const coordinator = parts.use(
    await startCoordinator({
      config: {
        plugins: [pluginPath],
        builtIn: { chaos: { enabled: false } },
        watchConfig: false,
        limits: { requestTimeoutMs: 20_000, drainMs: 10_000 },
        health: { checkIntervalMs: 2000, checkTimeoutMs: 1000, openMs: 1000 },
      },
      mcpServers: fleet.entries(
        () => true,
        () => 0,
      ),
      timeoutMs: 120_000,
    }),
  );
  output = coordinator.output;
  const { origin, pid } = coordinator;
  tell(
    `${fleet.servers.length} servers, ready after ${((Date.now() - startedAtMs) / 1000).toFixed(1)} s; seed ${seed}`,
  );

  const status = (await (await fetch(`${origin}/api/v1/status`)).json()) as { config: { file: string } };
  const guests = createGuests({ origin, configFile: status.config.file, fleet, random, judge });
  const callers = await startCallers({
    origin,
    random,
    judge,
    steady,
    count: options.callers,
    available: () => guests.available,
  });
  await delay(2000);
  const descriptorsBefore = await descriptorsOf(pid);
  const loadStartedAtMs = Date.now();

  const units = [...new Set(fleet.servers.map(({ unit }) => unit))];
  const faults = createFaults({
    random,
    room,
    judge,
    units,
    seconds: options.seconds,
    // Host threads serve so many that one or the other is not called for long.
    serversOf: (unit) => (unit === 'host' ? [] : guests.available.filter((server) => server.unit === unit)),
  });
  const samples: Sample[] = [];
  const over = new AbortController();
  const until = async (task: () => Promise<unknown> | void, everyMs: () => number): Promise<void> => {
    while (!over.signal.aborted) {
      await task();
      await delay(everyMs(), undefined, { signal: over.signal }).catch(() => {});
    }
  };
  const going = Promise.all([
    until(
      () => faults.strike(),
      () => 2 * random() * options.faultEveryMs,
    ),
    until(
      async () => {
        samples.push({ atMs: Date.now(), rssMb: await rssOf(pid) });
        if (samples.length % 20 === 0) tell(`${Math.round(samples.at(-1)!.rssMb)} MiB`);
      },
      () => 500,
    ),
    until(
      async () => tell(await guests.change()),
      () => 2000 + random() * 4000,
    ),
  ]);
  await delay(options.seconds * 1000);
  over.abort();
  await going;
  faults.relent();
  await delay(2000);
  await callers.stop();
  const { calls } = judge.report();
  const callsPerSecond = Math.round((calls * 1000) / (Date.now() - loadStartedAtMs));

  await eventually(
    'all servers to be well',
    async () => ((await sickServers(origin)).length === 0 ? true : undefined),
    recoveryMs,
  ).catch(async () => judge.violation(`still sick: ${JSON.stringify(await sickServers(origin))}`));
  // Connections that idle are closed after four seconds.
  await delay(5000);
  const descriptorsAfter = await descriptorsOf(pid);
  const single = modernClient(origin, '/mcp');
  for (const server of guests.available) await callOnce(single, server, 'add', 0, judge);
  const before = judge.report().violations.length;
  for (const session of callers.sessions) {
    const own = fleet.servers.find(({ id }) => session.path.endsWith(`/${id}`));
    const asked = own ? [own] : guests.available;
    await Promise.all(asked.map((server) => callOnce(session, server, 'read', 0, judge)));
  }
  const sessionsThatWork = callers.sessions.length - (judge.report().violations.length - before);
  for (const server of fleet.servers.filter(({ kind }) => kind === 'stdio')) {
    const wanted = guests.available.includes(server) ? server.replicas : 0;
    const processes = room.attendants(server.unit).length;
    if (processes !== wanted) judge.violation(`${server.id} has ${processes} processes, not ${wanted}`);
  }
  judge.settle();
  if (descriptorsAfter !== undefined && descriptorsAfter > descriptorsBefore! + looseDescriptors)
    judge.violation(`${descriptorsAfter} file descriptors are open, ${descriptorsBefore} were before`);

  isRunning = false;
  const started = [...(await descendantsOf(pid)), ...room.pids].filter(
    (one) => !http.pids.has(one) && one !== pid,
  );
  const code = await coordinator.stop();
  if (code !== 0) judge.violation(`the coordinator ended with ${code}`);
  const left = await survivorsOf([...new Set(started), pid]);
  if (left.length > 0) judge.violation(`processes are left: ${left.join(', ')}`);
  closeSockets();
  const rssSlope = slopeOf(samples.slice(Math.floor(samples.length / 2)));
  // A short run is all warm-up.
  if (options.seconds >= 120 && rssSlope > maxSlope)
    judge.violation(`memory grows by ${rssSlope.toFixed(1)} MiB a minute`);
  return {
    seed,
    servers: fleet.servers.length,
    seconds: options.seconds,
    callsPerSecond,
    reloads: guests.reloads,
    processesLeft: left.length,
    descriptors: [descriptorsBefore, descriptorsAfter],
    rssMb: [Math.round(samples[0]!.rssMb), Math.round(samples.at(-1)!.rssMb)],
    rssSlope: Math.round(rssSlope * 10) / 10,
    sessionsThatWork,
    ...judge.report(),
  };
}

/** Servers that are not ready, each with its reason. */
async function sickServers(origin: string): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? '' : `?cursor=${encodeURIComponent(cursor)}`;
    const response = await fetch(`${origin}/api/v1/servers${query}`);
    const page = (await response.json()) as {
      items: { id: string; state: string; reason?: string }[];
      nextCursor?: string;
    };
    for (const { id, state, reason } of page.items)
      if (state !== 'ready') found.push(`${id} is ${state}: ${reason ?? 'no reason'}`);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}

/** What the long run takes; the suite takes less. */
export const longRun: Omit<ChaosOptions, 'seed'> = {
  size: { builtIn: 140, stdio: 32, http: 28 },
  seconds: 140,
  callers: 40,
  faultEveryMs: 300,
};

/** Longest time for all that is not load: starts, recovery, the last calls; milliseconds. */
const besidesMs = 240_000;

if (import.meta.main) {
  const number = (name: string, fallback: number) => Number(process.env[name] ?? fallback);
  const seconds = number('CHAOS_SECONDS', longRun.seconds);
  setTimeout(
    () => {
      console.error('the run came to no end');
      process.exit(1);
    },
    seconds * 1000 + besidesMs,
  ).unref();
  const report = await runChaos(
    {
      ...longRun,
      seconds,
      seed: number('CHAOS_SEED', randomInt(2 ** 31)),
    },
    (line) => console.info(line),
  );
  const { violations, ...figures } = report;
  for (const text of violations.slice(0, 30)) console.info(`VIOLATION ${text}`);
  console.info(JSON.stringify({ ...figures, violations: violations.length }));
  process.exitCode = violations.length > 0 ? 1 : 0;
}
