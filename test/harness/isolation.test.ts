/** Clients of a server that keeps state, each with a process of its own, behind the real pool, gateway and HTTP edge. */

import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstanceSpec, Launch } from '../../src/catalog/instance-spec.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import type { JsonObject } from '../../src/kernel/json-rpc.ts';
import { defaultHealth } from '../../src/kernel/pool-options.ts';
import type { Principal } from '../../src/kernel/principal.ts';
import type { Peer } from '../../src/kernel/protocol.ts';
import type { Pool } from '../../src/pool/pool.ts';
import { whenGone } from '../e2e/processes.ts';
import { openRealPool, type RealPool } from '../fixtures/real-pool.ts';
import { specOf } from '../fixtures/spec-of.ts';
import { upstreamPath } from '../fixtures/upstream-process.ts';
import { startHttpFixture } from '../e2e/start-fixture.ts';

const serverPath = fileURLToPath(new URL('../fixtures/session-server.ts', import.meta.url));

let real: RealPool;
let pool: Pool;
let gateway: Gateway;
let nowMs = 0;

/** Real timers; time that passes is added by hand. */
const clock: Clock = { ...systemClock, now: () => systemClock.now() + nowMs };

beforeEach(async () => {
  real = await openRealPool({ health: { ...defaultHealth, checkIntervalMs: 0 }, drainMs: 2000 });
  ({ pool } = real);
  gateway = createGateway({ pool, limits: { maxSessions: 3, idleMs: 60_000 }, clock });
  real.parts.defer(() => gateway.close());
});

afterEach(async () => {
  nowMs = 0;
  await real[Symbol.asyncDispose]();
});

const stdio: Launch = {
  kind: 'stdio',
  command: process.execPath,
  args: [serverPath],
  env: {},
  era: 'legacy',
};

async function add(isolation: InstanceSpec['isolation'], more: Partial<InstanceSpec> = {}) {
  const own = { lazy: isolation !== undefined, launch: stdio, ...(isolation && { isolation }) };
  const instance = await pool.add(specOf('own', { ...own, ...more }));
  await instance.learn();
  return instance;
}

let lastRequest = 0;

/** One call of a tool; `answers` is what the client says when it is asked. */
async function call(peer: Peer, name: string, args: JsonObject = {}, answers = ''): Promise<string> {
  const result = await ask(peer, { name, arguments: args }, answers);
  return (result['content'] as { text: string }[])[0]!.text;
}

async function ask(peer: Peer, params: JsonObject, answers = ''): Promise<JsonObject> {
  const requestId = `r${(lastRequest += 1)}`;
  const exchange = {
    era: peer.hasSession ? ('legacy' as const) : ('modern' as const),
    peer,
    requestId,
    signal: new AbortController().signal,
    notify() {},
    ask: async () => ({ action: 'accept', content: { line: answers } }),
  };
  return await gateway.handle(gateway.mounts.view('server:own'), 'tools/call', params, exchange);
}

async function openSession(principal?: Principal) {
  const params = { protocolVersion: '2025-06-18', capabilities: { elicitation: {} } };
  return (await gateway.initialize('server:own', params, principal)).session;
}

let requests = 0;

/** Each request of the modern era has a key of its own. */
const modern = (principal: Principal | undefined, program = 'editor'): Peer => ({
  key: `modern:${(requests += 1)}`,
  capabilities: {},
  clientInfo: { name: program, version: '1' },
  ...(principal && { principal }),
});

const anna: Principal = { id: 'anna', tenant: 'north', role: 'developer' };
const bert: Principal = { id: 'bert', tenant: 'north', role: 'developer' };
const cleo: Principal = { id: 'cleo', tenant: 'south', role: 'developer' };

describe('isolation per session', () => {
  it('keeps what one session left there from the others, and ends with the session', async () => {
    const instance = await add('per-session');
    const [one, two] = [await openSession(), await openSession()];
    await call(one.peer, 'set', { text: 'of one' });
    await call(two.peer, 'set', { text: 'of two' });
    expect([await call(one.peer, 'get'), await call(two.peer, 'get')]).toEqual(['of one', 'of two']);
    expect(instance.sessions).toBe(2);
    expect(instance.state).toBe('ready');
    const pid = Number(await call(one.peer, 'pid'));
    gateway.sessions.end(one.id);
    await whenGone([pid]);
    expect(instance.sessions).toBe(1);
    expect(await call(two.peer, 'get')).toBe('of two');
  });

  it('ends the connection of a session that idles', async () => {
    const instance = await add('per-session');
    const { peer } = await openSession();
    const pid = Number(await call(peer, 'pid'));
    nowMs = 61_000;
    gateway.sessions.sweep();
    await whenGone([pid]);
    expect(instance.sessions).toBe(0);
  });

  it('ends the connection of a session that made room for another', async () => {
    await add('per-session');
    const { peer } = await openSession();
    const pid = Number(await call(peer, 'pid'));
    for (let n = 0; n < 3; n += 1) await openSession();
    await whenGone([pid]);
    expect(gateway.sessions.size).toBe(3);
  });

  it('asks each client its own questions, however many ask at once', async () => {
    await add('per-session');
    const sessions = [await openSession(), await openSession(), await openSession()];
    const asked = sessions.map(({ peer }, n) => call(peer, 'ask', { ms: 20 }, `answer ${n}`));
    expect(await Promise.all(asked)).toEqual(['answer 0', 'answer 1', 'answer 2']);
  });

  it('asks a modern client too while another call of its own is under way', async () => {
    await add('per-session');
    const peer: Peer = { ...modern(anna), capabilities: { elicitation: {} } };
    const again: Peer = { ...peer, key: 'modern:another' };
    const slow = call(again, 'get', { ms: 300 });
    const first = await ask(peer, { name: 'ask', arguments: {} });
    expect(first).toMatchObject({ resultType: 'input_required' });
    await slow;
    const [key] = Object.keys(first['inputRequests'] as JsonObject);
    const inputResponses = { [key!]: { action: 'accept', content: { line: 'mine' } } };
    const { requestState } = first;
    const last = await ask(again, { name: 'ask', arguments: {}, requestState, inputResponses });
    expect(last).toMatchObject({ resultType: 'complete', content: [{ text: 'mine' }] });
  });

  it('tells a session nothing that was said over the connection of another', async () => {
    await add('per-session');
    const [one, two] = [await openSession(), await openSession()];
    const heard = (session: typeof one) => {
      const texts: string[] = [];
      session.attach({ send: (message) => void texts.push(JSON.stringify(message)), end() {} });
      return texts;
    };
    const [ofOne, ofTwo] = [heard(one), heard(two)];
    for (const session of [one, two]) {
      await gateway.setLogLevel(session, { level: 'debug' });
      await gateway.subscribe(session, { uri: 'demo://one' });
    }
    await call(one.peer, 'log', { text: 'a secret of one' });
    await call(one.peer, 'touch');
    await call(two.peer, 'get');
    await expect.poll(() => ofOne.filter((text) => text.includes('secret'))).toHaveLength(1);
    expect(ofOne.filter((text) => text.includes('resources/updated'))).toHaveLength(1);
    expect(ofTwo).toEqual([]);
  });

  it('opens it again under the same session when the server broke', async () => {
    const instance = await add('per-session');
    const { peer } = await openSession();
    const pid = await call(peer, 'pid');
    await expect(call(peer, 'crash')).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
    expect(await call(peer, 'get')).toBe('');
    expect(await call(peer, 'pid')).not.toBe(pid);
    expect(instance.sessions).toBe(1);
  });

  it('refuses a client too many, and says what to do', async () => {
    await add('per-session', { maxConnections: 2 });
    const [one, two, three] = [await openSession(), await openSession(), await openSession()];
    await Promise.all([call(one.peer, 'get'), call(two.peer, 'get')]);
    await expect(call(three.peer, 'get')).rejects.toMatchObject({
      code: 'OVERLOADED',
      data: { problem: expect.stringContaining('mcpServers.own.maxConnections') },
    });
    gateway.sessions.end(one.id);
    expect(await call(three.peer, 'get')).toBe('');
  });

  it('lets a modern client that does nothing make room', async () => {
    const instance = await add('per-session', { maxConnections: 2 });
    for (const program of ['a', 'b', 'c', 'd']) await call(modern(anna, program), 'get');
    expect(instance.sessions).toBe(2);
  });

  it('leaves no process when the server is stopped, and starts anew', async () => {
    const instance = await add('per-session');
    const [one, two] = [await openSession(), await openSession()];
    const pids = await Promise.all([one, two].map(({ peer }) => call(peer, 'pid')));
    await instance.stop();
    await whenGone(pids.map(Number));
    expect([instance.state, instance.sessions]).toEqual(['stopped', 0]);
    await expect(call(one.peer, 'get')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    await instance.start();
    expect(await call(one.peer, 'get')).toBe('');
  });

  it('lets calls under way end when the server is replaced', async () => {
    const instance = await add('per-session');
    const { peer } = await openSession();
    await call(peer, 'set', { text: 'former' });
    const slow = call(peer, 'get', { ms: 300 });
    await pool.replace(instance.spec, 5000);
    expect(await slow).toBe('former');
    expect(await call(peer, 'get')).toBe('');
  });
});

describe('isolation per user and per tenant', () => {
  it('gives each user one connection over all their sessions', async () => {
    const instance = await add('per-user');
    const [first, second, other] = [
      await openSession(anna),
      await openSession(anna),
      await openSession(bert),
    ];
    await call(first.peer, 'set', { text: 'of anna' });
    expect(await call(second.peer, 'get')).toBe('of anna');
    expect(await call(modern(anna), 'get')).toBe('of anna');
    expect(await call(other.peer, 'get')).toBe('');
    expect(instance.sessions).toBe(2);
    // Another tenant's user of the same name is another user.
    expect(await call(modern({ id: 'anna', tenant: 'south', role: 'developer' }), 'get')).toBe('');
  });

  it('gives each tenant one connection over all its users', async () => {
    const instance = await add('per-tenant');
    await call(modern(anna), 'set', { text: 'of the north' });
    expect(await call(modern(bert), 'get')).toBe('of the north');
    expect(await call(modern(cleo), 'get')).toBe('');
    expect(instance.sessions).toBe(2);
  });

  it('lets nobody use the session of another user', async () => {
    await add('per-user');
    const session = await openSession(anna);
    expect(gateway.sessions.get(session.id, 'server:own', anna)).toBe(session);
    expect(() => gateway.sessions.get(session.id, 'server:own', bert)).toThrow(/session/i);
    expect(() => gateway.sessions.get(session.id, 'server:own')).toThrow(/session/i);
  });

  it('ends a connection that nobody used for a while', async () => {
    const instance = await add('per-user', { idleMs: 1000 });
    const pid = Number(await call(modern(anna), 'pid'));
    await whenGone([pid], 20_000);
    await expect.poll(() => instance.sessions).toBe(0);
  });
});

describe('isolation over other transports', () => {
  it.each(['legacy', 'modern'] as const)(
    'gives each session an HTTP session of its own (%s)',
    async (era) => {
      const fixture = await startHttpFixture(era);
      try {
        const { url } = fixture;
        const launch: Launch = { kind: 'streamable-http', url, headers: {}, era };
        const instance = await add('per-session', { launch });
        const [one, two] = [await openSession(), await openSession()];
        const members = () => instance.members.flatMap(({ replica }) => replica.connection ?? []);
        const ask = (peer: Peer) => call(peer, 'test_simple_text');
        expect((await Promise.all([ask(one.peer), ask(two.peer)])).every((text) => text !== '')).toBe(true);
        expect(new Set(members()).size).toBe(2);
      } finally {
        await fixture[Symbol.asyncDispose]();
      }
    },
  );

  it('gives each session a built-in instance of its own', async () => {
    const launch: Launch = { kind: 'in-process', module: upstreamPath('upstream-built-in'), settings: {} };
    const instance = await add('per-session', { launch });
    const [one, two] = [await openSession(), await openSession()];
    expect(await call(one.peer, 'echo', { text: 'a' })).toBe('a');
    expect(await call(two.peer, 'echo', { text: 'b' })).toBe('b');
    expect(instance.sessions).toBe(2);
    gateway.sessions.end(one.id);
    await expect.poll(() => instance.sessions).toBe(1);
  });
});
