/** Real child processes and host threads killed under load, behind the real pool and gateway. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstanceSpec, Launch } from '../../src/catalog/instance-spec.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { MountKey } from '../../src/gateway/mounts.ts';
import { isAppError } from '../../src/kernel/errors.ts';
import type { JsonObject } from '../../src/kernel/json-rpc.ts';
import { defaultHealth } from '../../src/kernel/pool-options.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { eventually } from '../e2e/eventually.ts';
import { startHttpFixture } from '../e2e/start-fixture.ts';
import { openRealPool, type RealPool } from '../fixtures/real-pool.ts';
import { specOf } from '../fixtures/spec-of.ts';
import { upstreamPath } from '../fixtures/upstream-process.ts';

const serverPath = fileURLToPath(new URL('../fixtures/failover-server.ts', import.meta.url));

let real: RealPool;
let pool: Pool;
let gateway: Gateway;

beforeEach(async () => {
  const health = { ...defaultHealth, checkIntervalMs: 300, checkTimeoutMs: 300 };
  real = await openRealPool({ hostCount: 2, health, drainMs: 5000 });
  ({ pool } = real);
  gateway = createGateway({ pool, limits: { maxSessions: 10, idleMs: 60_000 } });
  real.parts.defer(() => gateway.close());
});

afterEach(() => real[Symbol.asyncDispose]());

const journal = () => join(real.folder, 'journal');

/** What the servers wrote down: `<pid> <what> …`. */
async function noted(): Promise<string[]> {
  const text = await readFile(journal(), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

async function add(id: string, change: Partial<InstanceSpec> = {}) {
  const launch: Launch = {
    kind: 'stdio',
    command: process.execPath,
    args: [serverPath, journal()],
    env: {},
    era: 'legacy',
  };
  const instance = await pool.add(specOf(id, { launch, ...change }));
  await instance.start();
  return instance;
}

const builtIn = (): Partial<InstanceSpec> => ({
  launch: { kind: 'in-process', module: upstreamPath('upstream-built-in'), settings: {} },
});

let lastRequest = 0;
/** Calls answered so far. */
let calls = 0;

/** A tool call as a modern client makes it; resolves with its text. */
async function call(mount: MountKey, name: string, args: JsonObject = {}): Promise<string> {
  const result = await ask(mount, 'tools/call', { name, arguments: args });
  return (result['content'] as { text: string }[])[0]!.text;
}

async function ask(mount: MountKey, method: string, params: JsonObject): Promise<JsonObject> {
  const requestId = `r${(lastRequest += 1)}`;
  const exchange = {
    era: 'modern' as const,
    peer: { key: requestId, capabilities: {} },
    requestId,
    signal: new AbortController().signal,
    notify() {},
  };
  const result = await gateway.handle(gateway.mounts.view(mount), method, params, exchange);
  calls += 1;
  return result;
}

interface Outcome {
  readonly name: string;
  readonly n: number;
  readonly error?: unknown;
}

/** `width` callers, one call after the other each, until `until` is over. */
async function load(
  mount: MountKey,
  names: readonly string[],
  width: number,
  until: Promise<unknown>,
): Promise<Outcome[]> {
  const over = new AbortController();
  void until.finally(() => over.abort());
  const outcomes: Outcome[] = [];
  let n = 0;
  const caller = async () => {
    while (!over.signal.aborted) {
      const name = names[(n += 1) % names.length]!;
      const own = { name, n };
      try {
        await call(mount, name, { n: own.n, ms: 5 });
        outcomes.push(own);
      } catch (error) {
        outcomes.push({ ...own, error });
      }
    }
  };
  await Promise.all(Array.from({ length: width }, caller));
  return outcomes;
}

/** Resolves when so many more calls have been answered. */
async function answered(count: number): Promise<void> {
  const goal = calls + count;
  await eventually(`${count} calls`, () => (calls >= goal ? true : undefined));
}

/** Kills the process of an instance `times`, each time after it has answered for a while. */
async function killAgainAndAgain(pidOf: () => number | undefined, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    await answered(50);
    const pid = await eventually('a process', pidOf);
    process.kill(pid, 'SIGKILL');
    await eventually('another process', () => (pidOf() ?? pid) !== pid || undefined);
  }
  await answered(50);
}

describe('kill -9 of an instance under load', () => {
  it('fails no call that is read-only or idempotent, though it is the only instance', async () => {
    const solo = await add('solo');
    const killing = killAgainAndAgain(() => solo.pid, 3);
    const outcomes = await load('server:solo', ['read', 'put'], 16, killing);
    await killing;
    expect(outcomes.filter(({ error }) => error)).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(100);
    expect(solo.counters.restarts).toBe(3);
  });

  it('fails no such call while one of three replicas dies', async () => {
    const trio = await add('trio', { replicas: 3 });
    const killing = killAgainAndAgain(() => trio.pid, 3);
    const outcomes = await load('server:trio', ['read', 'put'], 16, killing);
    await killing;
    expect(outcomes.filter(({ error }) => error)).toEqual([]);
  });

  it('gives each other call under way one clear error with an id, and runs none twice', async () => {
    const solo = await add('solo');
    const killing = killAgainAndAgain(() => solo.pid, 3);
    const outcomes = await load('server:solo', ['add'], 16, killing);
    await killing;
    const errors = outcomes.filter(({ error }) => error).map(({ error }) => error);
    expect(errors.length).toBeGreaterThan(0);
    // No more than were under way when it was killed, three times.
    expect(errors.length).toBeLessThanOrEqual(3 * 16);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'UPSTREAM_FAILED', id: expect.stringMatching(/^\w{8}$/) });
      expect(isAppError(error) && error.data).toMatchObject({ mayHaveRun: true, tries: 1, server: 'solo' });
    }
    const runs = (await noted()).filter((line) => line.includes(' add ')).map((line) => line.split(' ')[2]);
    expect(new Set(runs).size).toBe(runs.length);
    // Each that succeeded was run, once.
    const ran = new Set(runs);
    for (const { n, error } of outcomes) if (!error) expect(ran.has(String(n))).toBe(true);
  });

  it('moves the calls of a group to its other instance', async () => {
    const one = await add('twin-1', { name: 'twin', listingKey: 'twin', port: 4101 });
    await add('twin-2', { name: 'twin', listingKey: 'twin', port: 4102 });
    const killing = killAgainAndAgain(() => one.pid, 2);
    const outcomes = await load('category:custom', ['twin__read', 'twin__put'], 16, killing);
    await killing;
    expect(outcomes.filter(({ error }) => error)).toEqual([]);
    const pids = new Set((await noted()).map((line) => line.split(' ')[0]));
    expect(pids.size).toBeGreaterThanOrEqual(4);
  });
});

describe.each(['legacy', 'modern'] as const)('kill -9 of a %s HTTP server that comes back', (era) => {
  it('fails no read', async () => {
    let fixture = await startHttpFixture(era);
    try {
      const { url } = fixture;
      await add('remote', { launch: { kind: 'streamable-http', url, headers: {}, era } });
      const over = new AbortController();
      const errors: unknown[] = [];
      const reader = async () => {
        while (!over.signal.aborted) {
          const params = { uri: 'test://static-text' };
          await ask('server:remote', 'resources/read', params).catch((error: unknown) => errors.push(error));
        }
      };
      const readers = Promise.all(Array.from({ length: 8 }, reader));
      for (let n = 0; n < 2; n += 1) {
        await answered(50);
        process.kill(fixture.pid, 'SIGKILL');
        fixture = await startHttpFixture(era, { port: Number(new URL(url).port) });
      }
      await answered(50);
      over.abort();
      await readers;
      expect(errors).toEqual([]);
    } finally {
      await fixture[Symbol.asyncDispose]();
    }
  });
});

describe('an upstream that was restarted', () => {
  it('is told again what its session was told: subscriptions, log level, changed roots', async () => {
    const solo = await add('solo');
    await solo.subscribe('demo://one');
    await solo.setLogLevel('warning');
    solo.notify('notifications/roots/list_changed');
    const first = solo.pid!;
    process.kill(first, 'SIGKILL');
    await eventually('the restart', () => (solo.pid ?? first) !== first || undefined);
    const second = solo.pid!;
    const told = (await noted()).filter((line) => line.startsWith(`${second} `));
    expect(told.map((line) => line.slice(String(second).length + 1)).toSorted()).toEqual([
      'level warning',
      'notifications/initialized',
      'notifications/roots/list_changed',
      'subscribe demo://one',
    ]);
    expect(await call('server:solo', 'read')).toBe(String(second));
  });

  it('loses no call when it is restarted by hand', async () => {
    const solo = await add('solo');
    const restarting = (async () => {
      for (let n = 0; n < 3; n += 1) {
        await answered(50);
        await solo.restart();
      }
    })();
    const outcomes = await load('server:solo', ['add', 'read'], 16, restarting);
    expect(outcomes.filter(({ error }) => error)).toEqual([]);
  });

  it('is stopped by hand only after the calls under way have ended', async () => {
    const solo = await add('solo');
    const slow = call('server:solo', 'add', { n: 1, ms: 300 });
    await eventually(
      'the call',
      async () => (await noted()).some((line) => line.includes(' add ')) || undefined,
    );
    const stopping = solo.stop();
    expect(solo.state).toBe('draining');
    await expect(call('server:solo', 'read')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(await slow).toMatch(/^\d+$/);
    await stopping;
    expect(solo.state).toBe('stopped');
  });
});

describe('a process that hangs', () => {
  it('gets no more calls, and another takes its place', async () => {
    const duo = await add('duo', { replicas: 2, timeoutMs: 2500 });
    const frozen = call('server:duo', 'freeze').catch((error: unknown) => error);
    await eventually('the state', () => (duo.state === 'degraded' ? true : undefined));
    expect(duo.reason).toMatch(/1 of 2 replicas are ready: it did not answer 2 checks/);
    const [hung] = duo.members.filter(({ fitness }) => fitness === 'sick');
    for (let n = 0; n < 10; n += 1) await call('server:duo', 'read');
    expect(hung?.inFlight).toBe(1);
    expect(await frozen).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    await eventually('both replicas', () => (duo.state === 'ready' ? true : undefined));
  });
});

describe('a host thread', () => {
  it('that dies is replaced, and its calls fail over', async () => {
    const one = await add('host-1', { ...builtIn(), name: 'host', listingKey: 'host', port: 4101 });
    await add('host-2', { ...builtIn(), name: 'host', listingKey: 'host', port: 4102 });
    const greeted: string[] = [];
    const over = new AbortController();
    const greeting = (async () => {
      while (!over.signal.aborted) greeted.push(await call('category:custom', 'host__greet'));
    })();
    await expect(call('server:host-1', 'crash')).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
    await eventually('the instance', () => (one.state === 'ready' ? true : undefined));
    await answered(10);
    over.abort();
    await greeting;
    expect(new Set(greeted)).toEqual(new Set(['{"value":"hello host-1"}', '{"value":"hello host-2"}']));
  });

  it('that one server crashes again and again comes back each time; only that server has to wait', async () => {
    const bad = await add('bad', builtIn());
    // Two threads for four, so it has a neighbour, which dies with it.
    const others = [await add('n1', builtIn()), await add('n2', builtIn()), await add('n3', builtIn())];
    for (let round = 1; round <= 4; round += 1) {
      await eventually('the bad one', () => bad.state === 'ready' || undefined, 20_000);
      await expect(call('server:bad', 'throw_later')).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
      for (const { id } of others) expect(await call(`server:${id}`, 'greet')).toContain(`hello ${id}`);
    }
    expect(bad.members[0]!.replica.lastBreak?.reason).toMatch(/thrown outside of any call/);
    expect(bad.state).toBe('unhealthy');
    expect(others.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
    expect(others.reduce((sum, { counters }) => sum + counters.restarts, 0)).toBeGreaterThanOrEqual(4);
  }, 30_000);

  it('that a tool holds up loses its neighbours to another thread, and none of their calls', async () => {
    const culprit = await add('culprit', { ...builtIn(), timeoutMs: 7000 });
    const neighbours = [await add('n1', builtIn()), await add('n2', builtIn()), await add('n3', builtIn())];
    const spinning = call('server:culprit', 'spin').catch((error: unknown) => error);
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) => call(`server:n${1 + (n % 3)}`, 'greet')),
    );
    expect(new Set(answers).size).toBe(3);
    await eventually(
      'all',
      () => [culprit, ...neighbours].every(({ state }) => state === 'ready') || undefined,
    );
    // While the tool goes on, on the thread that it has for itself now.
    expect(await call('server:culprit', 'greet')).toContain('hello culprit');
    expect(await spinning).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  });
});
