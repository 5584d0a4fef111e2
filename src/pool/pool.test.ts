import { describe, expect, it } from 'vitest';
import { specOf } from '../../test/fixtures/spec-of.ts';
import { createScriptedUpstream, connectScripted } from '../../test/fixtures/scripted-upstream.ts';
import { createFakeClock, systemClock } from '../kernel/clock.ts';
import { silentLogger } from '../kernel/log.ts';
import type { Connection } from '../transport/connection.ts';
import type { Connect, InstanceDependencies } from './instance-types.ts';
import { createPool } from './pool.ts';

const upstream = createScriptedUpstream('legacy', {
  'tools/list': () => ({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }] }),
});

/** A pool whose connections are counted; `connect` may be made to wait. */
function setUp(change: Partial<InstanceDependencies> = {}, gate: () => Promise<void> = async () => {}) {
  const opened: string[] = [];
  const live = new Set<Connection>();
  const connect: Connect = async (spec, events, _onStderr, signal) => {
    opened.push(spec.id);
    await gate();
    signal.throwIfAborted();
    const connection = await connectScripted(upstream, events);
    live.add(connection);
    return { ...connection, close: async () => void live.delete(connection) };
  };
  const pool = createPool({
    connect,
    listings: { get: async () => undefined, put: async () => {} },
    clock: systemClock,
    logger: silentLogger,
    ...change,
  });
  return { pool, opened, live };
}

describe('a pool that is disposed', () => {
  it('while it starts begins no further server and leaves none alive', async () => {
    const gate = Promise.withResolvers<void>();
    const { pool, opened, live } = setUp({}, () => gate.promise);
    for (let n = 0; n < 10; n += 1) await pool.add(specOf(`s${n}`));
    const starting = pool.startAll(2);
    const disposing = pool[Symbol.asyncDispose]();
    gate.resolve();
    await Promise.all([starting, disposing]);
    expect(opened).toEqual(['s0', 's1']);
    expect(live.size).toBe(0);
  });

  it('takes no more servers', async () => {
    const { pool } = setUp();
    await pool[Symbol.asyncDispose]();
    await expect(pool.add(specOf('late'))).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});

describe('a removed instance', () => {
  it('is not started again by a restart under way', async () => {
    const { pool, opened, live } = setUp();
    const instance = await pool.add(specOf('gone'));
    await instance.start();
    const restart = instance.stop().then(() => instance.start());
    await Promise.allSettled([pool.remove('gone'), restart]);
    await expect(restart).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await expect(instance.subscribe('demo://one')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await expect(instance.learn()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(opened).toEqual(['gone']);
    expect(live.size).toBe(0);
  });
});

describe('a lazy instance', () => {
  it('is started once for fifty calls', async () => {
    const { pool, opened } = setUp();
    const instance = await pool.add(specOf('lazy', { lazy: true }));
    const connections = await Promise.all(Array.from({ length: 50 }, () => instance.acquire()));
    expect(new Set(connections).size).toBe(1);
    expect(opened).toEqual(['lazy']);
  });

  it('stays awake for a call that came while it was asked what it offers', async () => {
    const { pool, live } = setUp();
    const instance = await pool.add(specOf('lazy', { lazy: true }));
    const learning = instance.learn();
    const connection = await instance.acquire();
    await learning;
    expect(instance.isLive(connection)).toBe(true);
    expect(live.size).toBe(1);
  });

  it('sleeps again when nobody called', async () => {
    const { pool, live } = setUp();
    const instance = await pool.add(specOf('lazy', { lazy: true }));
    await instance.learn();
    expect([instance.state, instance.listing?.tools.length, live.size]).toEqual(['sleeping', 1, 0]);
  });
});

describe('a listing', () => {
  it('is shown though it cannot be kept', async () => {
    const { pool } = setUp({
      listings: { get: async () => undefined, put: () => Promise.reject(new Error('disk full')) },
    });
    const instance = await pool.add(specOf('s'));
    const before = pool.version;
    await instance.start();
    expect([instance.state, instance.listing?.tools.length]).toEqual(['ready', 1]);
    expect(pool.version).toBeGreaterThan(before);
  });

  it('is read again when the server said that it changed before it was up', async () => {
    const clock = createFakeClock();
    let reads = 0;
    const early = createScriptedUpstream('legacy', {
      'tools/list': async () => {
        reads += 1;
        if (reads === 1) {
          early.events?.onNotification?.({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
          clock.advance(1000);
        }
        return { tools: [] };
      },
    });
    const { pool } = setUp({ clock, connect: (_spec, events) => connectScripted(early, events) });
    const instance = await pool.add(specOf('s'));
    await instance.start();
    clock.advance(1000);
    expect(reads).toBe(2);
  });

  it('that fails leaves no connection behind', async () => {
    const { pool, live } = setUp();
    const fine = upstream.scripts['tools/list']!;
    upstream.scripts['tools/list'] = () => ({ tools: 'none' });
    try {
      const instance = await pool.add(specOf('bad', { lazy: true }));
      await expect(instance.acquire()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
      expect([instance.state, live.size]).toEqual(['sleeping', 0]);
    } finally {
      upstream.scripts['tools/list'] = fine;
    }
  });
});

describe('replicas', () => {
  it('go on when one of them is dead', async () => {
    let tries = 0;
    const { pool, live } = setUp({ clock: createFakeClock() }, async () => {
      tries += 1;
      if (tries === 1) throw new Error('it crashed');
    });
    const instance = await pool.add(specOf('three', { replicas: 3 }));
    await expect(instance.start()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await expect.poll(() => instance.state).toBe('degraded');
    const used = await Promise.all(Array.from({ length: 10 }, () => instance.acquire()));
    expect(new Set(used).size).toBe(2);
    await pool[Symbol.asyncDispose]();
    expect(live.size).toBe(0);
  });
});

describe('a replaced instance', () => {
  const slow = createScriptedUpstream('legacy', {
    'tools/list': () => ({ tools: [] }),
  });

  it('finishes its calls and is closed then; new calls go to the new one', async () => {
    const gate = Promise.withResolvers<void>();
    slow.scripts['tools/call'] = async ({ name }) => {
      if (name === 'wait') await gate.promise;
      return { content: [] };
    };
    const closed: string[] = [];
    const connect: Connect = async (spec, events) => {
      const connection = await connectScripted(slow, events);
      return { ...connection, close: async () => void closed.push(spec.title) };
    };
    const { pool } = setUp({ connect });
    const former = await pool.add(specOf('a', { title: 'old' }));
    await former.start();
    const call = former.request('tools/call', { name: 'wait' });
    const fresh = await pool.replace(specOf('a', { title: 'new' }), 10_000);
    expect(pool.get('a')).toBe(fresh);
    await fresh.request('tools/call', { name: 'go' });
    expect(closed).toEqual([]);
    gate.resolve();
    await call;
    await expect.poll(() => closed).toEqual(['old']);
    await pool[Symbol.asyncDispose]();
    expect(closed).toEqual(['old', 'new']);
  });

  it('is cut off when its time is over, and when the pool ends', async () => {
    slow.scripts['tools/call'] = () => new Promise(() => {});
    const clock = createFakeClock();
    const closed: string[] = [];
    const connect: Connect = async (spec, events) => {
      const connection = await connectScripted(slow, events);
      return { ...connection, close: async () => void closed.push(spec.title) };
    };
    const { pool } = setUp({ connect, clock });
    const former = await pool.add(specOf('a', { title: 'one' }));
    await former.start();
    void former.request('tools/call', {}).catch(() => {});
    const second = await pool.replace(specOf('a', { title: 'two' }), 1000);
    void second.request('tools/call', {}).catch(() => {});
    clock.advance(1000);
    await expect.poll(() => closed).toEqual(['one']);
    await pool.replace(specOf('a', { title: 'three' }), 1000);
    await pool[Symbol.asyncDispose]();
    expect(closed.toSorted()).toEqual(['one', 'three', 'two']);
  });

  it('stays stopped when it was stopped by hand', async () => {
    const { pool, opened } = setUp();
    const former = await pool.add(specOf('a'));
    await former.stop();
    const fresh = await pool.replace(specOf('a', { title: 'new' }), 1000);
    expect([fresh.state, opened]).toEqual(['stopped', []]);
    await pool[Symbol.asyncDispose]();
  });
});
