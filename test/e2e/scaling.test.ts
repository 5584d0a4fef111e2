/** Replicas that follow the load, and the queue before them, with real child processes. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectV2, textOf } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { survivorsOf, whenGone } from './processes.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

const serverPath = fileURLToPath(new URL('../fixtures/failover-server.ts', import.meta.url));
const server = { command: process.execPath, args: [serverPath] };

interface Inspected {
  readonly replicas: number;
  readonly scale: {
    leaving: number;
    min: number;
    max: number;
    byHand: boolean;
    decisions: { from: number; to: number; reason: string }[];
  };
  readonly queue: { waiting: number; refused: number };
  readonly replicaStates: { pid: number; inFlight: number; state: string }[];
}

let coordinator: RunningCoordinator;
beforeAll(async () => {
  coordinator = await startCoordinator({
    mcpServers: {
      elastic: {
        ...server,
        maxConcurrency: 2,
        replicas: { max: 3, targetConcurrency: 1, upCoolDownMs: 0, downCoolDownMs: 1000 },
      },
      narrow: { ...server, maxConcurrency: 1, queue: { maxWaiting: 1 } },
      orderly: { ...server, maxConcurrency: 1 },
      plain: server,
    },
  });
});
afterAll(async () => coordinator?.[Symbol.asyncDispose]());

async function inspect(id: string): Promise<Inspected> {
  const response = await fetch(`${coordinator.origin}/api/v1/servers/${id}`);
  return (await response.json()) as Inspected;
}

const whenReplicas = (count: number, id = 'elastic') =>
  eventually(`${count} replicas`, async () => {
    const seen = await inspect(id);
    const isThere = seen.replicaStates.filter(({ state }) => state === 'ready').length === count;
    return isThere && seen.scale.leaving === 0 ? seen : undefined;
  });

async function scale(id: string, body: object): Promise<Response> {
  return await fetch(`${coordinator.origin}/api/v1/servers/${id}/scale`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

describe('the number of replicas', () => {
  it('rises with the load and falls when it is gone, and no call fails', async () => {
    const client = await connectV2(coordinator.serverUrl('elastic'), 'modern');
    let isLoaded = true;
    const pids = new Set<string>();
    // Calls that are not repeatable, so that a replica that went too early would show.
    const caller = async (ms: number, goesOn: () => boolean): Promise<void> => {
      while (goesOn()) {
        const result = await client.callTool({ name: 'add', arguments: { ms } });
        pids.add(textOf(result));
      }
    };
    const load = Promise.all(Array.from({ length: 5 }, () => caller(100, () => isLoaded)));
    const full = await whenReplicas(3);
    await eventually('calls in all replicas', () => (pids.size === 3 ? true : undefined));
    isLoaded = false;
    await load;

    let isLow = true;
    const trickle = caller(20, () => isLow);
    const low = await whenReplicas(1);
    isLow = false;
    await trickle;
    const gone = full.replicaStates.map(({ pid }) => pid).filter((pid) => pid !== low.replicaStates[0]!.pid);
    await whenGone(gone);
    expect(low.scale.decisions.at(0)).toMatchObject({
      from: 1,
      reason: expect.stringContaining('calls at a time'),
    });
    expect(low.scale.decisions.at(-1)).toMatchObject({ to: 1, reason: 'for 1 s 1 would have done' });
    await client.close();
  });

  it('is set by hand: replicas that go finish their calls first', async () => {
    expect((await scale('elastic', { replicas: 3 })).status).toBe(200);
    const { replicaStates } = await whenReplicas(3);
    const client = await connectV2(coordinator.serverUrl('elastic'), 'legacy');
    const calls = Promise.all(
      Array.from({ length: 3 }, () => client.callTool({ name: 'add', arguments: { ms: 4000 } })),
    );
    await eventually('a call in each', async () => {
      const { replicaStates: now } = await inspect('elastic');
      return now.every(({ inFlight }) => inFlight === 1) ? true : undefined;
    });
    const { stdout } = await runCli([
      'servers',
      'scale',
      'elastic',
      '--replicas',
      '1',
      '--url',
      coordinator.origin,
    ]);
    expect(stdout).toMatch(/^elastic\tdone\t\w+\tmin 3 → 1, max 3 → 1\t\n$/);
    expect((await survivorsOf(replicaStates.map(({ pid }) => pid))).length).toBe(3);
    const answered = (await calls).map(textOf).map(Number);
    expect(new Set(answered)).toEqual(new Set(replicaStates.map(({ pid }) => pid)));
    await whenReplicas(1);
    expect(await (await scale('elastic', { reset: true })).json()).toMatchObject({
      min: 1,
      max: 3,
      byHand: false,
    });
    await client.close();
  });

  it('follows the load of any server once it has bounds, and refuses what are none', async () => {
    const { status } = await scale('plain', { min: 2, max: 3 });
    expect(status).toBe(200);
    await whenReplicas(2, 'plain');
    const answers = await Promise.all(
      [{ min: 4 }, { replicas: 1, max: 2 }, {}].map((body) => scale('plain', body)),
    );
    expect(answers.map((answer) => answer.status)).toEqual([400, 400, 400]);
  });
});

describe('the queue', () => {
  const accept = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

  const post = (id: string, headers: Record<string, string>, message: object, signal?: AbortSignal) =>
    fetch(`${coordinator.origin}/mcp/servers/${id}`, {
      method: 'POST',
      headers: { ...accept, ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      ...(signal && { signal }),
    });

  interface CallOptions {
    readonly id?: string;
    readonly headers?: Record<string, string>;
    readonly meta?: object;
    readonly signal?: AbortSignal;
  }

  const modernCall = (args: object, options: CallOptions = {}) => {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      ...options.meta,
    };
    const standard = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'add' };
    return post(
      options.id ?? 'narrow',
      { ...standard, ...options.headers },
      { id: 1, method: 'tools/call', params: { name: 'add', arguments: args, _meta } },
      options.signal,
    );
  };

  /** One call under way and one that waits, until it is disposed. */
  async function fill(): Promise<Disposable> {
    const ended = new AbortController();
    for (const waiting of [0, 1]) {
      modernCall({ ms: 60_000 }, { signal: ended.signal }).catch(() => {});
      await eventually('the call to be there', async () => {
        const { queue, replicaStates } = await inspect('narrow');
        return queue.waiting === waiting && replicaStates[0]!.inFlight === 1 ? true : undefined;
      });
    }
    return { [Symbol.dispose]: () => ended.abort() };
  }

  const busy = {
    code: -32603,
    message: expect.stringContaining('server narrow is busy: 1 calls wait already'),
    data: expect.objectContaining({
      code: 'SERVER_BUSY',
      waiting: 1,
      maxWaiting: 1,
      retryAfterMs: expect.any(Number),
    }),
  };

  it('answers 429 with Retry-After in both eras and over REST, and takes calls again', async () => {
    const opened = await post(
      'narrow',
      {},
      {
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: 'raw', version: '1' },
        },
      },
    );
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id')! };
    {
      using _full = await fill();
      const modern = await modernCall({});
      const params = { name: 'add', arguments: {} };
      const legacy = await post('narrow', session, { id: 2, method: 'tools/call', params });
      const rest = await fetch(`${coordinator.origin}/api/v1/tools/call`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'narrow__add', arguments: {} }),
      });
      for (const answer of [modern, legacy, rest]) {
        expect(answer.status).toBe(429);
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      }
      expect(await modern.json()).toMatchObject({ id: 1, error: busy });
      expect(await legacy.json()).toMatchObject({ id: 2, error: busy });
      expect(await rest.json()).toMatchObject({ code: 'SERVER_BUSY', status: 429 });
    }
    await eventually('room again', async () =>
      (await inspect('narrow')).queue.waiting === 0 ? true : undefined,
    );
    expect((await modernCall({})).status).toBe(200);
  });

  it('serves last what its client calls less urgent, in the header or in _meta', async () => {
    const order: string[] = [];
    const calls: Promise<unknown>[] = [];
    const enqueue = async (name: string, waiting: number, ms: number, options: CallOptions = {}) => {
      const answered = modernCall({ ms }, { id: 'orderly', ...options });
      calls.push(answered.then(() => order.push(name)));
      await eventually(`${name} to be there`, async () => {
        const { queue, replicaStates } = await inspect('orderly');
        return queue.waiting === waiting && replicaStates[0]!.inFlight === 1 ? true : undefined;
      });
    };
    await enqueue('first', 0, 3000);
    await enqueue('low by header', 1, 50, { headers: { 'x-priority': 'low' } });
    await enqueue('low by _meta', 2, 50, { meta: { 'git-memory-mcp/priority': 'low' } });
    await enqueue('normal', 3, 50, { headers: { 'x-priority': 'high' } });
    await Promise.all(calls);
    expect(order).toEqual(['first', 'normal', 'low by header', 'low by _meta']);
  });
});
