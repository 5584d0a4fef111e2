/** Clients that misbehave, and servers that go away under the sessions of others. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEdge } from '../../../test/fixtures/http-edge.ts';
import { createScriptedUpstream } from '../../../test/fixtures/scripted-upstream.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';

const megabyte = 'x'.repeat(1024 * 1024);
const gates = new Map<string, PromiseWithResolvers<void>>();

function createUpstream() {
  return createScriptedUpstream(
    'legacy',
    {
      'tools/list': () => ({ tools: [{ name: 'call', inputSchema: { type: 'object' } }] }),
      'resources/list': () => ({ resources: [{ uri: 'demo://one', name: 'one' }] }),
      async 'tools/call'({ arguments: given }, { onNotification, signal }) {
        const { gate, megabytes = 0 } = given as { gate?: string; megabytes?: number };
        const params = { progressToken: 't', progress: 1 };
        if (megabytes > 0) onNotification?.({ jsonrpc: '2.0', method: 'notifications/progress', params });
        if (gate !== undefined) {
          const opened = Promise.withResolvers<void>();
          gates.set(gate, opened);
          signal?.addEventListener('abort', () => opened.reject(new Error('cancelled')));
          await opened.promise;
        }
        return { content: [{ type: 'text', text: gate ?? megabyte.repeat(megabytes) }] };
      },
    },
    {
      tools: { listChanged: true },
      resources: { subscribe: true },
      logging: {},
    },
  );
}

const first = createUpstream();
const second = createUpstream();
let edge: Awaited<ReturnType<typeof startEdge>>;
beforeAll(async () => {
  edge = await startEdge({ 'first-1': first, 'second-1': second });
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
});

function post(body: unknown, headers: Record<string, string> = {}, path = '/mcp'): Promise<Response> {
  return fetch(edge.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function openSession(path = '/mcp', protocolVersion = '2025-11-25') {
  const params = { protocolVersion, capabilities: {}, clientInfo: { name: 't', version: '1' } };
  const response = await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params }, {}, path);
  const id = response.headers.get('mcp-session-id') ?? '';
  await response.body?.cancel();
  return { id, headers: { 'mcp-session-id': id } };
}

const call = (id: unknown, args: JsonObject) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'first-1__call', arguments: args },
});

async function gateOf(name: string): Promise<PromiseWithResolvers<void>> {
  await expect.poll(() => gates.has(name)).toBe(true);
  return gates.get(name)!;
}

describe('two requests with one id', () => {
  it('are both answered, and the first to end takes nothing from the other', async () => {
    const { headers, id } = await openSession();
    const [one, two] = [post(call(7, { gate: 'one' }), headers), post(call(7, { gate: 'two' }), headers)];
    (await gateOf('one')).resolve();
    expect(JSON.stringify(await (await one).json())).toContain('"text":"one"');
    const session = edge.gateway.sessions.get(id, 'all');
    expect(session.inFlight.size).toBe(1);
    (await gateOf('two')).resolve();
    expect(JSON.stringify(await (await two).json())).toContain('"text":"two"');
    expect(session.inFlight.size).toBe(0);
  });

  it('are both cancelled with their session', async () => {
    const { headers } = await openSession();
    const calls = [post(call(8, { gate: 'three' }), headers), post(call(8, { gate: 'four' }), headers)];
    await Promise.all([gateOf('three'), gateOf('four')]);
    await fetch(`${edge.url}/mcp`, { method: 'DELETE', headers });
    for (const response of await Promise.all(calls))
      expect(await response.json()).toHaveProperty('error.code');
  });
});

it('answers each bad element of a batch', async () => {
  const { headers } = await openSession('/mcp', '2025-03-26');
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const batch = [ping, 7, { ...ping, id: null }, { ...ping, params: [] }, { ...ping, id: {} }];
  const answers = (await (await post(batch, headers)).json()) as JsonObject[];
  expect(answers.map(({ id }) => id)).toEqual([1, null, null, null, null]);
  const bad = await post([{}], headers);
  expect([bad.status, await bad.json()]).toMatchObject([200, [{ id: null, error: { code: -32600 } }]]);
});

it('sends a large result over a stream whole', async () => {
  const { headers } = await openSession();
  const response = await post(call(1, { megabytes: 20 }), headers);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect((await response.text()).length).toBeGreaterThan(20 * 1024 * 1024);
});

describe('a GET stream', () => {
  const open = (headers: Record<string, string>) => fetch(`${edge.url}/mcp`, { headers });

  it('ends with its session', async () => {
    const { headers } = await openSession();
    const stream = await open(headers);
    await fetch(`${edge.url}/mcp`, { method: 'DELETE', headers });
    expect(await stream.text()).toBe('');
  });

  it('ends when a newer one takes its place', async () => {
    const { id, headers } = await openSession();
    const [older, newer] = [await open(headers), await open(headers)];
    expect(await older.text()).toBe('');
    const session = edge.gateway.sessions.get(id, 'all');
    session.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    const reader = newer.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('list_changed');
    await reader.cancel();
  });

  it('that nobody reads is cut off', async () => {
    const { id, headers } = await openSession();
    const socket = rawRequest(`GET /mcp HTTP/1.1\r\nmcp-session-id: ${headers['mcp-session-id']}`);
    const session = edge.gateway.sessions.get(id, 'all');
    await once(socket, 'readable');
    const message = (n: number) => ({
      jsonrpc: '2.0' as const,
      method: 'notifications/message',
      params: { n, data: megabyte },
    });
    // What is not sent is kept for the next stream, and that is bounded too.
    for (let n = 0; n < 100; n += 1) {
      session.send(message(n));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resume();
    await once(socket, 'close');
    expect(socket.bytesRead).toBeLessThan(100 * megabyte.length);
  });
});

function rawRequest(head: string): Socket {
  const { port } = new URL(edge.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`${head}\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
  return socket;
}

it('does not wait for the end of a body that is too large', async () => {
  const socket = rawRequest(
    'POST /mcp HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked',
  );
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  const closed = once(socket, 'close');
  const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
  for (let n = 0; n < 4; n += 1) socket.write(chunk);
  await closed;
  expect(answer).toContain('HTTP/1.1 413');
});

it('leaves no subscription behind for a session that ended meanwhile, nor two for one URI', async () => {
  const uri = 'gm.first-1+demo://one';
  const gone = edge.gateway.sessions.get((await openSession()).id, 'all');
  const subscribing = edge.gateway.subscribe(gone, { uri });
  edge.gateway.sessions.end(gone.id);
  await subscribing;
  expect([...first.subscribed]).toEqual([]);

  const session = edge.gateway.sessions.get((await openSession()).id, 'all');
  await Promise.all([1, 2, 3].map(() => edge.gateway.subscribe(session, { uri })));
  expect(session.subscriptions.size).toBe(1);
  await edge.gateway.unsubscribe(session, { uri });
  expect([...first.subscribed]).toEqual([]);
});

it('sets the log level though one server never answers', async () => {
  second.scripts['logging/setLevel'] = () => new Promise(() => {});
  const { headers } = await openSession();
  const setLevel = { jsonrpc: '2.0', id: 1, method: 'logging/setLevel', params: { level: 'error' } };
  expect(await (await post(setLevel, headers)).json()).toMatchObject({ result: {} });
  delete second.scripts['logging/setLevel'];
});

describe('a server that is removed', () => {
  it('ends its own sessions and leaves those of others as they were', async () => {
    const [own, shared] = [await openSession('/mcp/servers/second-1'), await openSession()];
    const setLevel = { jsonrpc: '2.0', id: 1, method: 'logging/setLevel', params: { level: 'debug' } };
    await post(setLevel, own.headers, '/mcp/servers/second-1');
    await post(setLevel, shared.headers);
    const stream = await fetch(`${edge.url}/mcp/servers/second-1`, { headers: own.headers });
    await edge.pool.remove('second-1');
    expect(await stream.text()).toBe('');
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    expect((await post(ping, own.headers, '/mcp/servers/second-1')).status).toBe(404);
    expect(await (await post({ ...setLevel, id: 3 }, shared.headers)).json()).toHaveProperty('result');

    const sharedStream = await fetch(`${edge.url}/mcp`, { headers: shared.headers });
    const params = { level: 'info', data: 'still here' };
    first.events?.onNotification?.({ jsonrpc: '2.0', method: 'notifications/message', params });
    const reader = sharedStream.body!.getReader();
    let text = '';
    while (!text.includes('still here')) text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
  });
});

// Last: afterwards nothing is taken any more.
describe('a stop', () => {
  it('finishes the call in flight and ends streams', async () => {
    const { headers } = await openSession();
    const slow = post(call(1, { gate: 'slow' }), headers);
    const gate = await gateOf('slow');
    const stream = await fetch(`${edge.url}/mcp`, { headers });
    const drained = edge.drain(60_000);
    expect(await stream.text()).toBe('');
    gate.resolve();
    expect(JSON.stringify(await (await slow).json())).toContain('"text":"slow"');
    await drained;
  });
});
