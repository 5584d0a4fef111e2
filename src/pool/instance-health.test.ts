import { describe, expect, it, vi } from 'vitest';
import {
  connectScripted,
  createScriptedUpstream,
  type Script,
} from '../../test/fixtures/scripted-upstream.ts';
import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { createFakeClock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { silentLogger } from '../kernel/log.ts';
import type { OnIncident } from '../kernel/observations.ts';
import { defaultHealth, defaultSelection, type HealthOptions } from '../kernel/pool-options.ts';
import type { ConnectionEvents } from '../transport/connection.ts';
import type { Instance } from './instance.ts';
import { createPool } from './pool.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));
const failed = () => new AppError('UPSTREAM_FAILED', { server: 's', problem: 'it broke' });

/** Instances whose calls go as the test says; `openings` has the events of each connection opened. */
function setUp(health: Partial<HealthOptions> = {}) {
  const clock = createFakeClock(1_000_000);
  const onIncident = vi.fn<OnIncident>();
  const openings: ConnectionEvents[] = [];
  const scripts: Record<string, Script> = {
    'tools/list': () => ({ tools: [] }),
    'tools/call': () => ({ ok: true }),
    ping: () => ({}),
  };
  const upstream = createScriptedUpstream('legacy', scripts);
  const pool = createPool({
    connect: (_spec, events) => {
      openings.push(events);
      return connectScripted(upstream, events);
    },
    listings: { get: async () => undefined, put: async () => {} },
    clock,
    logger: silentLogger,
    onIncident,
    health: { ...defaultHealth, checkIntervalMs: 0, failures: 3, openMs: 1000, ...health },
    backoff: { baseMs: 100, capMs: 100 },
  });
  async function add(id: string, change: Partial<InstanceSpec> = {}): Promise<Instance> {
    const launch = { kind: 'stdio', command: 'never', args: [], env: {}, era: 'auto' } as const;
    const base = { id, name: 'demo', alias: id, title: id, category: 'custom', port: 4100, replicas: 1 };
    const instance = await pool.add({
      ...base,
      lazy: false,
      source: 'config',
      launch,
      listingKey: id,
      ...change,
    });
    await instance.start();
    return instance;
  }
  const callWith = async (script: Script, instance: Instance, count = 1) => {
    scripts['tools/call'] = script;
    const outcomes: unknown[] = [];
    for (let n = 0; n < count; n += 1)
      outcomes.push(await instance.request('tools/call').catch((error: unknown) => error));
    scripts['tools/call'] = () => ({ ok: true });
    return outcomes;
  };
  return { clock, pool, add, callWith, openings, upstream, scripts, onIncident };
}

const fail: Script = () => {
  throw failed();
};

describe('an instance whose calls fail', () => {
  it('gets no more traffic from its group, until a trial goes well', async () => {
    const { clock, add, callWith } = setUp();
    const sick = await add('a');
    const well = await add('b');
    const { balancer } = sick.group;
    await callWith(fail, sick, 3);
    expect([sick.state, sick.reason, sick.fitness]).toEqual([
      'unhealthy',
      expect.stringContaining('it broke'),
      'sick',
    ]);
    expect(sick.sinceMs).toBe(clock.now());
    for (let n = 0; n < 10; n += 1) expect(balancer.pick()).toBe(well);
    clock.advance(1000);
    expect([sick.state, sick.fitness]).toEqual(['degraded', 'fit']);
    expect(new Set([balancer.pick(), balancer.pick()])).toEqual(new Set([sick, well]));
    await callWith(() => ({}), sick);
    expect(sick.state).toBe('ready');
  });

  it('has one trial at a time', async () => {
    const { clock, add, callWith, scripts } = setUp();
    const sick = await add('a');
    await callWith(fail, sick, 3);
    clock.advance(1000);
    const gate = Promise.withResolvers<Record<string, unknown>>();
    scripts['tools/call'] = () => gate.promise;
    const trial = sick.request('tools/call');
    await settled();
    expect(sick.fitness).toBe('sick');
    gate.resolve({});
    await trial;
    expect(sick.fitness).toBe('fit');
  });

  it('gets calls all the same when all are sick, and that is said', async () => {
    const { add, callWith, onIncident } = setUp();
    const both = [await add('a'), await add('b')];
    for (const instance of both) await callWith(fail, instance, 3);
    const { balancer } = both[0]!.group;
    expect(new Set([balancer.pick(), balancer.pick()])).toEqual(new Set(both));
    expect(both[0]!.isFailingOpen).toBe(true);
    expect(both[0]!.reason).toMatch(/it gets calls all the same/);
    expect(onIncident.mock.calls.map(([{ kind, server }]) => `${kind} ${server}`)).toEqual([
      'fail-open a',
      'breaker-opening a',
      'fail-open b',
      'breaker-opening b',
      'fail-open custom/demo',
    ]);
    expect(await callWith(() => ({ fine: 1 }), both[0]!)).toEqual([{ fine: 1 }]);
  });

  it('is not blamed for what clients do, nor for errors that it answers', async () => {
    const { add, callWith } = setUp();
    const instance = await add('a');
    for (const code of ['REQUEST_CANCELLED', 'CLIENT_GONE', 'CLIENT_AMBIGUOUS'] as const)
      await callWith(
        () => {
          throw new AppError(code, { method: 'x', server: 's' });
        },
        instance,
        10,
      );
    await callWith((_params) => Promise.reject(new TypeError('ours')), instance, 10);
    expect(instance.state).toBe('ready');
  });
});

describe('a lazy instance that cannot be started', () => {
  it('is tried again after a while, and used when it starts', async () => {
    const clock = createFakeClock();
    let isAway = true;
    const upstream = createScriptedUpstream('legacy', {
      'tools/list': () => ({ tools: [] }),
      ping: () => ({}),
    });
    const pool = createPool({
      connect: (_spec, events) =>
        isAway ? Promise.reject(new Error('no such program')) : connectScripted(upstream, events),
      listings: { get: async () => undefined, put: async () => {} },
      clock,
      logger: silentLogger,
      health: { ...defaultHealth, failures: 3, openMs: 1000 },
    });
    const launch = { kind: 'stdio', command: 'never', args: [], env: {}, era: 'auto' } as const;
    const base = { id: 'a', name: 'a', alias: 'a', title: 'a', category: 'custom', port: 4100, replicas: 1 };
    const instance = await pool.add({ ...base, lazy: true, source: 'config', launch, listingKey: 'a' });
    for (let n = 0; n < 3; n += 1) await instance.acquire().catch(() => {});
    expect([instance.state, instance.fitness]).toEqual(['sleeping', 'sick']);
    clock.advance(1000);
    expect(instance.fitness).toBe('fit');
    isAway = false;
    await instance.acquire();
    expect([instance.state, instance.fitness]).toEqual(['ready', 'fit']);
  });
});

describe('checks', () => {
  it('take a silent connection out of traffic and open it anew', async () => {
    const { clock, add, scripts, openings, upstream } = setUp({ checkIntervalMs: 1000 });
    const instance = await add('a');
    const silent: Script = () => {
      throw new AppError('UPSTREAM_TIMEOUT', { server: 's', method: 'ping', timeoutMs: 1 });
    };
    scripts['ping'] = silent;
    scripts['tools/list'] = silent;
    for (let ms = 0; ms < 4000 && instance.state === 'ready'; ms += 100) {
      clock.advance(100);
      await settled();
    }
    expect([instance.state, instance.reason]).toEqual([
      'unhealthy',
      expect.stringContaining('it did not answer 2 checks'),
    ]);
    scripts['tools/list'] = () => ({ tools: [] });
    scripts['ping'] = silent;
    expect(upstream.asked.some(({ method }) => method === 'ping')).toBe(true);
    scripts['tools/list'] = silent;
    for (let ms = 0; ms < 4000 && openings.length < 2; ms += 100) {
      clock.advance(100);
      await settled();
      if (instance.reason === 'it did not answer 4 checks') scripts['tools/list'] = () => ({ tools: [] });
    }
    await settled();
    expect([instance.state, openings.length]).toEqual(['ready', 2]);
  });

  it('do not end a server that is silent because it works on a call', async () => {
    const { clock, add, scripts, openings } = setUp({ checkIntervalMs: 1000 });
    const instance = await add('a', { timeoutMs: 60_000 });
    const work = Promise.withResolvers<Record<string, unknown>>();
    scripts['tools/call'] = () => work.promise;
    scripts['ping'] = () => {
      throw new AppError('UPSTREAM_TIMEOUT', { server: 's', method: 'ping', timeoutMs: 1 });
    };
    scripts['tools/list'] = scripts['ping'];
    const call = instance.request('tools/call');
    for (let ms = 0; ms < 50_000; ms += 100) {
      clock.advance(100);
      await settled();
    }
    expect([instance.state, openings.length]).toEqual(['unhealthy', 1]);
    work.resolve({ done: true });
    expect(await call).toEqual({ done: true });
    expect(instance.state).toBe('ready');
  });

  it('are left out while calls are answered', async () => {
    const { clock, add, callWith, upstream } = setUp({ checkIntervalMs: 1000 });
    const instance = await add('a');
    for (let n = 0; n < 50; n += 1) {
      await callWith(() => ({}), instance);
      clock.advance(100);
      await settled();
    }
    expect(upstream.asked.filter(({ method }) => method === 'ping')).toEqual([]);
  });
});

describe('a slow instance', () => {
  it('is degraded, and still gets calls', async () => {
    const { clock, add, callWith } = setUp({ slowMs: 500 });
    const instance = await add('a');
    await callWith(async () => {
      clock.advance(600);
      return {};
    }, instance);
    expect([instance.state, instance.fitness]).toEqual(['degraded', 'fit']);
    expect(instance.reason).toBe('its calls take 600 ms on average');
  });
});

describe('an instance that holds up its host thread', () => {
  it('goes into quarantine the third time in ten minutes, until it is started by hand', async () => {
    const { clock, add, openings } = setUp();
    const instance = await add('a');
    const holdUp = async () => {
      const problem = 'one of its tools holds up its host thread';
      openings.at(-1)!.onClose!(new AppError('UPSTREAM_FAILED', { server: 'a', problem, heldUpHost: true }));
      clock.advance(100);
      await settled();
    };
    await holdUp();
    clock.advance(600_000);
    await holdUp();
    await holdUp();
    expect(instance.state).toBe('ready');
    await holdUp();
    expect([instance.state, instance.fitness]).toEqual(['quarantined', 'out']);
    await expect(instance.acquire()).rejects.toThrow(/quarantine \(it held up its host thread 3 times/);
    await instance.start();
    expect(instance.state).toBe('ready');
  });
});

describe('an idle instance', () => {
  it('sleeps after a while without a call, and wakes for the next', async () => {
    const { clock, add, callWith, openings } = setUp();
    const instance = await add('a', { idleMs: 5000 });
    clock.advance(4000);
    await callWith(() => ({}), instance);
    clock.advance(4999);
    expect(instance.state).toBe('ready');
    clock.advance(1);
    await settled();
    expect([instance.state, instance.listing?.tools]).toEqual(['sleeping', []]);
    await callWith(() => ({}), instance);
    expect([instance.state, openings.length]).toEqual(['ready', 2]);
  });

  it('stays up while a call is under way or a resource is watched', async () => {
    const { clock, add, scripts } = setUp();
    const busy = await add('a', { idleMs: 5000 });
    const gate = Promise.withResolvers<Record<string, unknown>>();
    scripts['tools/call'] = () => gate.promise;
    const call = busy.request('tools/call');
    const watched = await add('b', { idleMs: 5000 });
    await watched.subscribe('demo://one');
    clock.advance(60_000);
    await settled();
    expect([busy.state, watched.state]).toEqual(['ready', 'ready']);
    gate.resolve({});
    await call;
    await watched.unsubscribe('demo://one');
    clock.advance(60_000);
    await settled();
    expect([busy.state, watched.state]).toEqual(['sleeping', 'sleeping']);
  });
});

describe('a restarted replica', () => {
  it('gets little at first', async () => {
    const { clock, add, openings } = setUp();
    const selection = { ...defaultSelection, slowStartMs: 10_000 };
    const instance = await add('a', { replicas: 2, selection });
    openings[0]!.onClose!(failed());
    clock.advance(100);
    await settled();
    expect(instance.members.map(({ warmth }) => warmth)).toEqual([0.1, 1]);
    clock.advance(5000);
    expect(instance.members[0]!.warmth).toBeCloseTo(0.5);
    clock.advance(5000);
    expect(instance.members[0]!.warmth).toBe(1);
  });
});
