import { describe, expect, it } from 'vitest';
import { connectScripted, createScriptedUpstream } from '../../../test/fixtures/scripted-upstream.ts';
import type { InstanceSpec } from '../../catalog/instance-spec.ts';
import { Cancel } from '../../kernel/cancel.ts';
import { createFakeClock } from '../../kernel/clock.ts';
import { isAppError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import { silentLogger } from '../../kernel/log.ts';
import type { Priority } from '../../kernel/pool-options.ts';
import type { ConnectionEvents } from '../../transport/connection.ts';
import type { Instance } from '../instance.ts';
import { createPool } from '../pool.ts';
import type { Wish } from './places.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** An instance whose calls end when the test says so, in any order. */
async function setUp(change: Partial<InstanceSpec> = {}, drainMs = 0) {
  const clock = createFakeClock(1_000_000);
  const openings: ConnectionEvents[] = [];
  const running: { name: string; end: (result?: JsonObject) => void; fail: (error: Error) => void }[] = [];
  const upstream = createScriptedUpstream('legacy', {
    'tools/list': () => ({ tools: [] }),
    ping: () => ({}),
    'tools/call': ({ name }) => {
      const { promise, resolve, reject } = Promise.withResolvers<JsonObject>();
      running.push({ name: String(name), end: (result = {}) => resolve(result), fail: reject });
      return promise;
    },
  });
  const pool = createPool({
    async connect(_spec, events) {
      openings.push(events);
      return await connectScripted(upstream, events);
    },
    listings: { get: async () => undefined, put: async () => {} },
    clock,
    logger: silentLogger,
    drainMs,
    backoff: { baseMs: 100, capMs: 100 },
  });
  const instance = await pool.add({
    id: 'a',
    name: 'a',
    alias: 'a',
    title: 'a',
    category: 'custom',
    port: 4100,
    replicas: 1,
    lazy: false,
    source: 'config',
    launch: { kind: 'stdio', command: 'never', args: [], env: {}, era: 'auto' },
    listingKey: 'a',
    maxConcurrency: 2,
    ...change,
  });
  await instance.start();
  const outcomes: Record<string, unknown> = {};
  const call = async (name: string, wish: Wish = {}): Promise<void> => {
    outcomes[name] = await send(instance, name, wish).catch((error: unknown) =>
      isAppError(error) ? error.code : error,
    );
  };
  const callAll = async (...names: string[]) => {
    for (const name of names) void call(name);
    await settled();
  };
  const end = async (name: string) => {
    const at = running.findIndex((one) => one.name === name);
    running.splice(at, 1)[0]!.end();
    await settled();
  };
  const names = () => running.map(({ name }) => name);
  return {
    clock,
    pool,
    instance,
    openings,
    running,
    outcomes,
    call,
    callAll,
    end,
    names,
    places: instance.places!,
  };
}

async function send(instance: Instance, name: string, wish: Wish): Promise<JsonObject> {
  const place = await instance.places!.take(wish);
  try {
    const connection = await place.connect();
    return await instance.request('tools/call', { name }, { place }, connection);
  } finally {
    place.leave();
  }
}

const queue = (change: object) => ({
  maxWaiting: 1000,
  maxWaitMs: 10_000,
  priority: 'normal' as const,
  ...change,
});

describe('a server with maxConcurrency', () => {
  it('gets so many calls at a time, the others in the order they came', async () => {
    const { callAll, end, names, places } = await setUp();
    await callAll('1', '2', '3', '4');
    expect([names(), places.waiting, places.hasRoom]).toEqual([['1', '2'], 2, false]);
    await end('2');
    expect(names()).toEqual(['1', '3']);
    await end('1');
    await end('3');
    await end('4');
    expect([names(), places.waiting, places.hasRoom]).toEqual([[], 0, true]);
  });

  it('spreads them over its replicas, and to the one with room where the choice has none', async () => {
    const { instance, callAll, end, names } = await setUp({ replicas: 2 });
    await callAll('1', '2', '3', '4', '5');
    expect(instance.members.map(({ inFlight }) => inFlight)).toEqual([2, 2]);
    await end('1');
    await end('3');
    expect(names()).toEqual(['2', '4', '5']);
    await callAll('6');
    expect(instance.members.map(({ inFlight }) => inFlight)).toEqual([2, 2]);
  });

  it('refuses what its queue does not hold, and says when to come again', async () => {
    const { instance, callAll, places } = await setUp({ queue: queue({ maxWaiting: 1 }) });
    await callAll('1', '2', '3');
    const refused = await send(instance, '4', {}).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'SERVER_BUSY',
      data: { server: 'a', waiting: 1, maxWaiting: 1, retryAfterMs: 1000 },
      message: 'server a is busy: 1 calls wait already; try again in 1000 ms',
    });
    expect(places.refused).toBe(1);
  });

  it('refuses what has waited too long, and that leaves the queue', async () => {
    const { clock, callAll, outcomes, places, end, names } = await setUp({
      queue: queue({ maxWaitMs: 500 }),
    });
    await callAll('1', '2', '3');
    clock.advance(499);
    await callAll('4');
    clock.advance(1);
    await settled();
    expect([outcomes, places.waiting]).toEqual([{ 3: 'SERVER_BUSY' }, 1]);
    await end('1');
    expect(names()).toEqual(['2', '4']);
    clock.advance(10_000);
    await settled();
    expect(outcomes).toEqual({ 1: {}, 3: 'SERVER_BUSY' });
  });

  it('forgets a call at once that is cancelled while it waits', async () => {
    const { callAll, call, outcomes, places, end, names } = await setUp();
    await callAll('1', '2');
    const signal = new Cancel();
    void call('3', { signal });
    await callAll('4');
    signal.abort();
    await settled();
    expect([outcomes['3'], places.waiting, places.refused]).toEqual(['REQUEST_CANCELLED', 1, 0]);
    await end('1');
    expect(names()).toEqual(['2', '4']);
  });

  it('lets urgent calls go first; a client can only lower the priority', async () => {
    const { callAll, call, end, names } = await setUp({ maxConcurrency: 1 });
    await callAll('1');
    for (const [name, priority] of [
      ['low', 'low'],
      ['plain', undefined],
      ['vain', 'high'],
    ] as [string, Priority][])
      void call(name, { priority });
    await settled();
    const order: string[] = [];
    while (names().length > 0) {
      const [name] = names();
      order.push(name!);
      await end(name!);
    }
    expect(order).toEqual(['1', 'plain', 'vain', 'low']);
  });

  it('keeps those that wait over a restart', async () => {
    const { instance, openings, callAll, end, names, outcomes } = await setUp({}, 5000);
    await callAll('1', '2', '3');
    const restarting = instance.restart();
    await settled();
    await end('1');
    // Nobody new is let in while the calls under way end.
    expect([names(), openings.length]).toEqual([['2'], 1]);
    await end('2');
    await restarting;
    await settled();
    expect([names(), openings.length]).toEqual([['3'], 2]);
    await end('3');
    expect(outcomes).toEqual({ 1: {}, 2: {}, 3: {} });
  });

  it('keeps those that wait when its connection breaks', async () => {
    const { clock, openings, callAll, running, names, outcomes, end } = await setUp();
    await callAll('1', '2', '3', '4', '5');
    openings[0]!.onClose?.(new Error('it died'));
    for (const { fail } of running.splice(0)) fail(new Error('lost'));
    await settled();
    clock.advance(100);
    await settled();
    expect([names(), openings.length]).toEqual([['3', '4'], 2]);
    await end('3');
    await end('4');
    await end('5');
    expect(outcomes).toMatchObject({ 3: {}, 4: {}, 5: {} });
  });

  it('tells those that wait when it is stopped', async () => {
    const { instance, callAll, end, outcomes, call } = await setUp({}, 5000);
    await callAll('1', '2', '3');
    const stopping = instance.stop();
    await settled();
    expect(outcomes).toEqual({ 3: 'UPSTREAM_UNAVAILABLE' });
    await call('4');
    await end('1');
    await end('2');
    await stopping;
    expect(outcomes).toMatchObject({ 1: {}, 2: {}, 4: 'UPSTREAM_UNAVAILABLE' });
  });

  it('finishes those that wait when another instance takes its place', async () => {
    const { pool, instance, callAll, end, outcomes } = await setUp();
    await callAll('1', '2', '3');
    const fresh = await pool.replace({ ...instance.spec, maxConcurrency: 3 }, 5000);
    expect(pool.get('a')).toBe(fresh);
    await end('1');
    await end('2');
    await end('3');
    expect(outcomes).toEqual({ 1: {}, 2: {}, 3: {} });
  });

  it('gives a place back that no request came to use', async () => {
    const { places } = await setUp({ maxConcurrency: 1 });
    const place = await places.take({});
    expect(places.hasRoom).toBe(false);
    place.leave();
    place.leave();
    expect(places.hasRoom).toBe(true);
  });
});
