import { describe, expect, it } from 'vitest';
import { specOf } from '../../../test/fixtures/spec-of.ts';
import { connectScripted, createScriptedUpstream } from '../../../test/fixtures/scripted-upstream.ts';
import type { InstanceSpec } from '../../catalog/instance-spec.ts';
import { type Clock, createFakeClock } from '../../kernel/clock.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import { silentLogger } from '../../kernel/log.ts';
import { defaultHealth, type ScaleBounds } from '../../kernel/pool-options.ts';
import type { Connection } from '../../transport/connection.ts';
import type { Instance } from '../instance.ts';
import { createPool } from '../pool.ts';
import { lookIntervalMs } from './scaler.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

const scale = { min: 1, max: 4, targetConcurrency: 2, upCoolDownMs: 1000, downCoolDownMs: 5000 };

/** A pool whose calls end when the test says; looks of the scaler are counted by the timers they set. */
function setUp(byHand?: ScaleBounds) {
  const clock = createFakeClock(1_000_000);
  const timers = { looks: 0 };
  const counting: Clock = {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    after(delayMs, task) {
      if (delayMs === lookIntervalMs) timers.looks += 1;
      return clock.after(delayMs, task);
    },
  };
  const live = new Set<Connection>();
  let running: ((result: JsonObject) => void)[] = [];
  const upstream = createScriptedUpstream('legacy', {
    'tools/list': () => ({ tools: [] }),
    'tools/call': () => new Promise<JsonObject>((resolve) => void running.push(resolve)),
  });
  const pool = createPool({
    async connect(_spec, events) {
      const plain = await connectScripted(upstream, events);
      const connection = { ...plain, close: async () => void live.delete(connection) };
      live.add(connection);
      return connection;
    },
    listings: { get: async () => undefined, put: async () => {} },
    clock: counting,
    logger: silentLogger,
    health: { ...defaultHealth, checkIntervalMs: 0 },
    drainMs: 5000,
    scaleByHand: () => byHand,
  });
  const add = async (change: Partial<InstanceSpec> = {}, id = 'a'): Promise<Instance> => {
    const instance = await pool.add(specOf(id, { scale, ...change }));
    await instance.start();
    return instance;
  };
  const callMany = (instance: Instance, count: number) =>
    Promise.all(Array.from({ length: count }, () => instance.request('tools/call')));
  const endAll = async () => {
    for (const resolve of running) resolve({});
    running = [];
    // Once for the answers, once for those that wait another turn before they go.
    await settled();
    await settled();
  };
  const pass = async (seconds: number) => {
    for (let n = 0; n < seconds; n += 1) {
      clock.advance(1000);
      await settled();
    }
  };
  return { clock, pool, live, add, callMany, endAll, pass, timers };
}

const countOf = ({ replicas }: Instance) => [replicas.members.length, replicas.leaving.length];

describe('an instance whose replicas follow the load', () => {
  it('gets more, and loses them again when the load has gone', async () => {
    const { live, add, callMany, endAll, pass } = setUp();
    const instance = await add();
    const calls = callMany(instance, 6);
    await pass(12);
    expect([countOf(instance), live.size, instance.state]).toEqual([[3, 0], 3, 'ready']);
    await endAll();
    await calls;
    await pass(25);
    expect([countOf(instance), live.size]).toEqual([[1, 0], 1]);
    expect(instance.scaling.decisions.map(({ from, to }) => [from, to]).at(-1)).toEqual([2, 1]);
    expect(instance.scaling.decisions[0]).toMatchObject({
      from: 1,
      reason: expect.stringMatching(/calls at a time; 2 a replica are aimed for$/),
    });
  });

  it('costs no timer while nothing is called, however many there are, and one when something is', async () => {
    const { pool, add, callMany, endAll, pass, timers } = setUp();
    const instances: Instance[] = [];
    for (let n = 0; n < 1000; n += 1) instances.push(await pool.add(specOf(`s${n}`, { scale, lazy: true })));
    await pass(5);
    expect(timers.looks).toBe(0);
    await add({}, 'busy');
    const calls = Promise.all(instances.slice(0, 10).map((instance) => callMany(instance, 1)));
    await settled();
    await pass(5);
    expect(timers.looks).toBe(6);
    await endAll();
    await calls;
    await pass(3);
    const { looks } = timers;
    await pass(60);
    expect(timers.looks - looks).toBeLessThan(10);
  });

  it('notes once that more are needed than are allowed', async () => {
    const { add, callMany, endAll, pass } = setUp();
    const instance = await add();
    const calls = callMany(instance, 30);
    await pass(60);
    const beyond = instance.scaling.decisions.filter(({ from, to }) => from === to);
    expect(beyond).toHaveLength(1);
    expect(beyond[0]!.reason).toMatch(/^4 is the most, \d+ are needed/);
    await endAll();
    await calls;
  });

  it('gets more because calls are slow, though there are few of them', async () => {
    const { add, callMany, endAll, pass } = setUp();
    const roomy = { ...scale, targetConcurrency: 100, targetLatencyMs: 500 };
    const slow = await add({ scale: roomy }, 'slow');
    const patient = await add({ scale: { ...roomy, targetLatencyMs: undefined } }, 'patient');
    for (let n = 0; n < 8; n += 1) {
      const calls = [callMany(slow, 6), callMany(patient, 6)];
      await pass(2);
      await endAll();
      await Promise.all(calls);
    }
    expect([countOf(slow)[0], countOf(patient)[0]]).toEqual([4, 1]);
    expect(slow.scaling.decisions[0]).toMatchObject({
      from: 1,
      to: 2,
      reason: expect.stringMatching(/^calls take \d+ ms on average; 500 are aimed for$/),
    });
  });

  it('has the least when it wakes', async () => {
    const { live, add, callMany, endAll, pass } = setUp();
    const instance = await add({ idleMs: 3000 });
    const calls = callMany(instance, 8);
    await pass(10);
    expect(live.size).toBe(4);
    await endAll();
    await calls;
    await pass(4);
    expect([instance.state, live.size, countOf(instance)]).toEqual(['sleeping', 0, [1, 0]]);
    expect(instance.scaling.decisions.at(-1)).toMatchObject({ from: 4, to: 1, reason: 'asleep' });
  });
});

describe('a number set by hand', () => {
  it('is kept whatever the load, until it is reset', async () => {
    const { add, callMany, endAll, pass } = setUp();
    const instance = await add();
    instance.scaling.setBounds({ min: 2, max: 2 });
    const calls = callMany(instance, 20);
    await pass(20);
    expect([countOf(instance), instance.scaling.isByHand]).toEqual([[2, 0], true]);
    instance.scaling.setBounds();
    await pass(20);
    expect([countOf(instance), instance.scaling.isByHand]).toEqual([[4, 0], false]);
    await endAll();
    await calls;
    expect(() => instance.scaling.setBounds({ min: 3, max: 2 })).toThrow(/min not more than max/);
  });

  it('lets those that go finish, and takes back the ones that have not gone', async () => {
    const { live, add, callMany, endAll, pass } = setUp();
    const instance = await add({ replicas: 3, scale: { ...scale, min: 3 } });
    const calls = callMany(instance, 3);
    await settled();
    const before = [...instance.members];
    instance.scaling.setBounds({ min: 1, max: 1 });
    await pass(3);
    expect([countOf(instance), live.size, instance.state]).toEqual([[1, 2], 3, 'ready']);
    instance.scaling.setBounds({ min: 2, max: 2 });
    expect(instance.members).toEqual(before.slice(0, 2));
    await endAll();
    await calls;
    expect([countOf(instance), live.size]).toEqual([[2, 0], 2]);
    instance.scaling.setBounds({ min: 3, max: 3 });
    await settled();
    expect(new Set(instance.members.map(({ id }) => id)).size).toBe(3);
    expect(live.size).toBe(3);
  });

  it('holds from the start where it was given before', async () => {
    const { live, add } = setUp({ min: 2, max: 3 });
    const instance = await add();
    expect([instance.scaling.bounds, live.size]).toEqual([{ min: 2, max: 3 }, 2]);
  });

  it('leaves nothing behind when the instance stops while some are leaving', async () => {
    const { pool, live, add, callMany, endAll } = setUp();
    const instance = await add({ replicas: 3, scale: { ...scale, min: 3 } });
    const calls = callMany(instance, 3);
    await settled();
    instance.scaling.setBounds({ min: 1, max: 1 });
    const stopping = instance.stop();
    await settled();
    await endAll();
    await Promise.all([stopping, calls]);
    expect([live.size, countOf(instance)]).toEqual([0, [1, 0]]);
    instance.scaling.setBounds({ min: 2, max: 2 });
    await settled();
    expect(live.size).toBe(0);
    await instance.start();
    expect(live.size).toBe(2);
    await pool[Symbol.asyncDispose]();
    expect(live.size).toBe(0);
  });
});
