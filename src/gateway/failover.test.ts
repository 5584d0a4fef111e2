import { describe, expect, it, vi } from 'vitest';
import {
  connectScripted,
  createScriptedUpstream,
  type Script,
} from '../../test/fixtures/scripted-upstream.ts';
import type { InstanceSpec } from '../catalog/instance-spec.ts';
import { createFakeClock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import { silentLogger } from '../kernel/log.ts';
import { defaultHealth, defaultSelection } from '../kernel/pool-options.ts';
import { createPool } from '../pool/pool.ts';
import type { Exchange } from './exchange.ts';
import { createGateway } from './gateway.ts';

const tools = [
  { name: 'read', inputSchema: {}, annotations: { readOnlyHint: true } },
  { name: 'put', inputSchema: {}, annotations: { idempotentHint: true } },
  { name: 'add', inputSchema: {}, annotations: { readOnlyHint: false } },
  { name: 'plain', inputSchema: {} },
];

/** Two instances of one definition in a category; calls go as `script` says, and `served` tells who got them. */
async function setUp(script: (id: string) => Script, change: Partial<InstanceSpec> = {}) {
  const clock = createFakeClock();
  const served: string[] = [];
  const timeouts: (number | undefined)[] = [];
  const pool = createPool({
    connect: (spec, events) => {
      const run: Script = (params, options) => {
        served.push(spec.id);
        timeouts.push(options.timeoutMs);
        return script(spec.id)(params, options);
      };
      const calls = { 'tools/call': run, 'resources/read': run, 'prompts/get': run };
      const upstream = createScriptedUpstream('legacy', { 'tools/list': () => ({ tools }), ...calls });
      return connectScripted(upstream, events);
    },
    listings: { get: async () => undefined, put: async () => {} },
    clock,
    logger: silentLogger,
    requestTimeoutMs: 10_000,
    health: { ...defaultHealth, checkIntervalMs: 0, failures: 1000 },
  });
  for (const [at, id] of ['a', 'b'].entries()) {
    const launch = { kind: 'stdio', command: 'never', args: [], env: {}, era: 'auto' } as const;
    const base = { id, name: 'demo', alias: id, title: id, category: 'custom', port: 4100 + at, replicas: 1 };
    await pool.add({ ...base, lazy: false, source: 'config', launch, listingKey: 'demo', ...change });
  }
  await pool.startAll(2);
  const gateway = createGateway({ pool, limits: { maxSessions: 10, idleMs: 60_000 }, clock });
  const call = (name: string, args: JsonObject = {}, exchange: Partial<Exchange> = {}) =>
    gateway.handle(
      gateway.mounts.view('category:custom'),
      'tools/call',
      { name: `demo__${name}`, arguments: args },
      {
        era: 'legacy',
        peer: { key: 'session-1', capabilities: { elicitation: {} } },
        requestId: 'r',
        signal: new AbortController().signal,
        notify() {},
        ...exchange,
      },
    );
  return { clock, pool, call, served, timeouts };
}

const broken = (id: string) => new AppError('UPSTREAM_FAILED', { server: id, problem: 'it broke' });
const unsent = (id: string) => new AppError('UPSTREAM_UNAVAILABLE', { server: id, problem: 'it is away' });

/** The first call to each kind of failure rejects, later ones answer. */
function onceThenFine(error: (id: string) => Error, times = 1): (id: string) => Script {
  let left = times;
  return (id) => () => {
    left -= 1;
    if (left >= 0) throw error(id);
    return { content: [] };
  };
}

describe('a call that was sent when its instance failed', () => {
  it.each(['read', 'put'])('goes to another instance once when its tool may run twice (%s)', async (name) => {
    const { call, served } = await setUp(onceThenFine(broken));
    await call(name);
    expect(new Set(served).size).toBe(2);
  });

  it('goes to another instance too when the answer could not be read', async () => {
    const garbled = (id: string) => new AppError('UPSTREAM_PROTOCOL', { server: id, problem: 'no JSON' });
    const { call, served } = await setUp(onceThenFine(garbled));
    await call('read');
    expect(new Set(served).size).toBe(2);
    const once = await setUp(onceThenFine(garbled));
    await expect(once.call('add')).rejects.toMatchObject({
      code: 'UPSTREAM_PROTOCOL',
      data: { tries: 1, mayHaveRun: true },
    });
    expect(once.served).toHaveLength(1);
  });

  it.each(['add', 'plain'])('is not repeated when its tool may not (%s)', async (name) => {
    const { call, served } = await setUp(onceThenFine(broken));
    await expect(call(name)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      data: { tries: 1, mayHaveRun: true },
    });
    expect(served).toHaveLength(1);
  });

  it('is repeated once only', async () => {
    const { call, served } = await setUp(onceThenFine(broken, 100));
    await expect(call('read')).rejects.toMatchObject({ code: 'UPSTREAM_FAILED', data: { tries: 2 } });
    expect(served).toHaveLength(2);
  });

  it('is repeated once more when its repetition was never sent', async () => {
    const failures = [broken, unsent];
    const { call, served } = await setUp((id) => () => {
      const failure = failures.shift();
      if (failure) throw failure(id);
      return { content: [] };
    });
    expect(await call('read')).toMatchObject({ content: [] });
    expect(served).toHaveLength(3);
  });

  it('is not repeated after the client was asked something', async () => {
    const { call, served } = await setUp((id) => async (_params, { onRequest, signal }) => {
      const question = { jsonrpc: '2.0' as const, id: 1, method: 'elicitation/create', params: {} };
      await onRequest!(question, signal!);
      throw broken(id);
    });
    const failing = call('read', {}, { ask: async () => ({ action: 'accept' }) });
    await expect(failing).rejects.toMatchObject({ code: 'UPSTREAM_FAILED', data: { tries: 1 } });
    expect(served).toHaveLength(1);
  });

  it('has only the rest of its time for the second try, and no second try when there is none', async () => {
    const { clock, call, timeouts } = await setUp((id) => () => {
      clock.advance(4000);
      throw broken(id);
    });
    await expect(call('read')).rejects.toThrow();
    expect(timeouts).toEqual([10_000, 6000]);
    timeouts.length = 0;
    const late = await setUp((id) => () => {
      late.clock.advance(10_000);
      throw broken(id);
    });
    await expect(late.call('read')).rejects.toThrow();
    expect(late.timeouts).toEqual([10_000]);
  });

  it('is still repeated by a server that has left the pool meanwhile and drains', async () => {
    const { clock, pool, call, served } = await setUp(onceThenFine(broken));
    await pool.remove('b');
    const calling = call('read');
    await vi.waitFor(() => expect(served).toHaveLength(1));
    const removing = pool.remove('a', 5000);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(200);
    expect(await calling).toEqual({ content: [] });
    await removing;
    expect(served).toEqual(['a', 'a']);
  });

  it('is not sent with no time left, and fails with what it met first', async () => {
    let waits = false;
    const { clock, pool, call, served } = await setUp((id) => () => {
      waits = true;
      throw broken(id);
    });
    for (const instance of pool.instances()) {
      const acquire = instance.acquire.bind(instance);
      Object.assign(instance, {
        acquire: async (...args: Parameters<typeof acquire>) => {
          // The other one takes all of the call's time to come up.
          if (waits) clock.advance(10_000);
          return await acquire(...args);
        },
      });
    }
    await expect(call('read')).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      data: { tries: 2, mayHaveRun: true },
    });
    expect(served).toHaveLength(1);
  });

  it('is not repeated when its client has gone', async () => {
    const client = new AbortController();
    const { call, served } = await setUp((id) => () => {
      client.abort();
      throw broken(id);
    });
    await expect(call('read', {}, { signal: client.signal })).rejects.toThrow();
    expect(served).toHaveLength(1);
  });
});

describe('a call that was not sent', () => {
  it('goes elsewhere whatever its tool, up to three tries', async () => {
    const fine = await setUp(onceThenFine(unsent, 2));
    await fine.call('add');
    expect(fine.served).toHaveLength(3);
    const away = await setUp(onceThenFine(unsent, 100));
    await expect(away.call('add')).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      data: { tries: 3 },
    });
    expect(away.served).toHaveLength(3);
  });
});

describe('repetitions', () => {
  it('make no storm when everything fails', async () => {
    const { call, served } = await setUp(onceThenFine(broken, Infinity));
    for (let n = 0; n < 3000; n += 1) await call('read').catch(() => {});
    // The reserve of 1,000, and a fifth of the calls after it was touched.
    expect(served.length).toBeGreaterThan(4000);
    expect(served.length).toBeLessThan(4700);
  });
});

describe('when no healthy instance is left', () => {
  it('the error says that it was tried all the same', async () => {
    const { pool, call } = await setUp(onceThenFine(broken, Infinity), {
      health: { ...defaultHealth, checkIntervalMs: 0, failures: 2 },
    });
    for (let n = 0; n < 6; n += 1) await call('add').catch(() => {});
    expect(pool.instances().map(({ state }) => state)).toEqual(['unhealthy', 'unhealthy']);
    await expect(call('add')).rejects.toMatchObject({ data: { failOpen: true } });
  });
});

describe('consistent hashing', () => {
  const fine = () => () => ({ content: [] });
  const hashing = (hashOn: string) => ({
    selection: { ...defaultSelection, policy: 'consistent-hash' as const, hashOn },
  });

  it('keeps the calls of a session together, and those of sessions apart', async () => {
    const { call, served } = await setUp(fine, hashing('session'));
    for (let n = 0; n < 10; n += 1) await call('read');
    expect(new Set(served).size).toBe(1);
    for (let n = 0; n < 50; n += 1) await call('read', {}, { peer: { key: `s${n}`, capabilities: {} } });
    expect(new Set(served).size).toBe(2);
  });

  it('keeps together the calls with one value of an argument', async () => {
    const { call, served } = await setUp(fine, hashing('argument:book'));
    const homes = new Map<string, Set<string>>();
    for (let n = 0; n < 60; n += 1) {
      const book = `book ${n % 12}`;
      await call('read', { book }, { peer: { key: `s${n}`, capabilities: {} } });
      homes.set(book, (homes.get(book) ?? new Set()).add(served.at(-1)!));
    }
    expect([...homes.values()].every((home) => home.size === 1)).toBe(true);
    expect(new Set(served).size).toBe(2);
  });
});

describe('instances that take so many calls at a time', () => {
  const one = { maxConcurrency: 1, queue: { maxWaiting: 1, maxWaitMs: 1000, priority: 'normal' as const } };

  it('get a call each before any waits, then one that waits, and then no more', async () => {
    const gate = Promise.withResolvers<JsonObject>();
    const { call, served, pool } = await setUp(() => () => gate.promise, one);
    const calls = [call('add'), call('add'), call('add'), call('add')];
    for (let n = 0; n < 3; n += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(served.toSorted()).toEqual(['a', 'b']);
    expect(pool.instances().map(({ places }) => places?.waiting)).toEqual([1, 1]);
    await expect(call('add')).rejects.toMatchObject({ code: 'SERVER_BUSY', data: { waiting: 1 } });
    gate.resolve({ content: [] });
    await Promise.all(calls);
    expect(served).toHaveLength(4);
    expect(pool.instances().map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });
});
