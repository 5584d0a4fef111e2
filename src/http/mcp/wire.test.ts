/** The bytes a client sees: status codes, headers, JSON against streams, both eras, all four cells. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEdge } from '../../../test/fixtures/http-edge.ts';
import { createScriptedUpstream, type ScriptedUpstream } from '../../../test/fixtures/scripted-upstream.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';

const echo = {
  name: 'echo',
  inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
};

const legacy: ScriptedUpstream = createScriptedUpstream(
  'legacy',
  {
    'tools/list': () => ({ tools: [echo] }),
    'resources/list': () => ({ resources: [{ uri: 'demo://one', name: 'one' }] }),
    'resources/templates/list': () => ({ resourceTemplates: [] }),
    'resources/read': ({ uri }) => ({ contents: [{ uri, text: 'hello' }] }),
    'tools/call': async ({ name, arguments: args }, { onRequest, onNotification, signal }) => {
      const mode = (args as JsonObject | undefined)?.['mode'];
      if (mode === 'progress')
        onNotification?.({
          jsonrpc: '2.0',
          method: 'notifications/progress',
          params: { progressToken: 't', progress: 1 },
        });
      if (mode === 'hang')
        await new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(new Error('aborted'))),
        );
      const answer =
        mode === 'ask'
          ? await onRequest?.(
              { jsonrpc: '2.0', id: 1, method: 'elicitation/create', params: { message: 'who?' } },
              signal!,
            )
          : undefined;
      return {
        content: [{ type: 'text', text: String(name) }],
        ...(answer && { structuredContent: { answer } }),
      };
    },
  },
  { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true } },
);

const modern: ScriptedUpstream = createScriptedUpstream('modern', {
  'tools/list': () => ({ tools: [echo], ttlMs: 7, cacheScope: 'public' }),
  'tools/call': ({ inputResponses, requestState }) =>
    inputResponses === undefined
      ? {
          resultType: 'input_required',
          inputRequests: { q: { method: 'elicitation/create', params: { message: 'who?' } } },
          requestState: 'mine',
        }
      : { resultType: 'complete', content: [], structuredContent: { inputResponses, requestState } },
});

let edge: Awaited<ReturnType<typeof startEdge>>;

beforeAll(async () => {
  edge = await startEdge({ 'old-1': legacy, 'new-1': modern, 'old-2': legacy });
});
afterAll(async () => {
  await edge[Symbol.asyncDispose]();
});

let nextId = 0;

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(edge.url + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const rpc = (method: string, params: JsonObject = {}) => ({
  jsonrpc: '2.0',
  id: (nextId += 1),
  method,
  params,
});

async function openSession(path = '/mcp', capabilities: JsonObject = {}) {
  const response = await post(
    path,
    rpc('initialize', {
      protocolVersion: '2025-11-25',
      capabilities,
      clientInfo: { name: 't', version: '1' },
    }),
  );
  const id = response.headers.get('mcp-session-id') ?? '';
  return { body: (await response.json()) as JsonObject, headers: { 'mcp-session-id': id } };
}

function modernCall(method: string, params: JsonObject = {}, meta: JsonObject = {}) {
  const version = 'io.modelcontextprotocol/protocolVersion';
  const body = rpc(method, {
    ...params,
    _meta: { [version]: '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {}, ...meta },
  });
  const name = params['name'] ?? params['uri'];
  const headers = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
  };
  return { body, headers };
}

async function callModern(
  path: string,
  method: string,
  params: JsonObject = {},
  meta: JsonObject = {},
  extra: Record<string, string> = {},
) {
  const { body, headers } = modernCall(method, params, meta);
  const response = await post(path, body, { ...headers, ...extra });
  return {
    status: response.status,
    body: (await response.json()) as { result?: JsonObject; error?: { code: number; data?: JsonObject } },
  };
}

/** Reads events until one is a response; hands every message to `on`. */
async function readEvents(
  response: Response,
  on: (message: JsonObject) => void | Promise<void>,
): Promise<void> {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const data = text.slice(0, end).split('data: ')[1];
      text = text.slice(end + 2);
      if (data !== undefined) await on(JSON.parse(data) as JsonObject);
    }
  }
}

describe('legacy wire', () => {
  it('opens a session, lists and calls with plain JSON, and ends', async () => {
    const { body, headers } = await openSession();
    expect(body['result']).toMatchObject({
      protocolVersion: '2025-11-25',
      serverInfo: { name: 'git-memory-mcp-server' },
    });
    expect(
      (await post('/mcp', { jsonrpc: '2.0', method: 'notifications/initialized' }, headers)).status,
    ).toBe(202);
    const list = await post('/mcp', rpc('tools/list'), headers);
    expect(list.headers.get('content-type')).toBe('application/json');
    expect(await list.json()).toMatchObject({
      result: { tools: [{ name: 'old-1__echo' }, { name: 'new-1__echo' }, { name: 'old-2__echo' }] },
    });
    const call = await post('/mcp', rpc('tools/call', { name: 'old-2__echo' }), headers);
    expect(await call.json()).toMatchObject({ result: { content: [{ type: 'text', text: 'echo' }] } });
    expect((await fetch(`${edge.url}/mcp`, { method: 'DELETE', headers })).status).toBe(204);
    expect((await post('/mcp', rpc('ping'), headers)).status).toBe(404);
  });

  it('passes names and identity through untouched in a single mount', async () => {
    const { body, headers } = await openSession('/mcp/servers/old-1');
    expect(body['result']).toMatchObject({
      serverInfo: { name: 'scripted' },
      instructions: 'be kind',
      capabilities: { resources: { subscribe: true } },
    });
    expect(await (await post('/mcp/servers/old-1', rpc('tools/list'), headers)).json()).toMatchObject({
      result: { tools: [echo] },
    });
    expect((await post('/mcp', rpc('ping'), headers)).status).toBe(404);
  });

  it('goes round the instances of a category under one name', async () => {
    const { headers } = await openSession('/mcp/categories/custom');
    const list = (await (await post('/mcp/categories/custom', rpc('tools/list'), headers)).json()) as {
      result: { tools: { name: string }[] };
    };
    expect(list.result.tools.map(({ name }) => name)).toEqual(['old__echo', 'new__echo']);
    const before = edge.pool.instances().map(({ counters }) => counters.calls);
    for (let n = 0; n < 4; n += 1)
      await post('/mcp/categories/custom', rpc('tools/call', { name: 'old__echo' }), headers);
    const after = edge.pool.instances().map(({ counters }) => counters.calls);
    expect(after.map((calls, index) => calls - before[index]!)).toEqual([2, 0, 2]);
  });

  it('turns into a stream when something comes before the result', async () => {
    const { headers } = await openSession();
    const response = await post(
      '/mcp',
      rpc('tools/call', { name: 'old-1__echo', arguments: { mode: 'progress' } }),
      headers,
    );
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const messages: JsonObject[] = [];
    await readEvents(response, (message) => void messages.push(message));
    expect(messages).toMatchObject([{ method: 'notifications/progress' }, { result: {} }]);
  });

  it('asks the client in the middle of a call (legacy on legacy, and on modern by input_required)', async () => {
    const { headers } = await openSession('/mcp', { elicitation: {} });
    for (const name of ['old-1__echo', 'new-1__echo']) {
      const response = await post('/mcp', rpc('tools/call', { name, arguments: { mode: 'ask' } }), headers);
      let result: unknown;
      await readEvents(response, async (message) => {
        if (message['method'] === 'elicitation/create') {
          await post(
            '/mcp',
            { jsonrpc: '2.0', id: message['id'], result: { action: 'accept', content: { who: 'ฉัน' } } },
            headers,
          );
        } else result = message['result'];
      });
      expect(JSON.stringify(result)).toContain('ฉัน');
      expect(result).not.toHaveProperty('resultType');
    }
  });

  it('cancels by notification', async () => {
    const { headers } = await openSession();
    const call = rpc('tools/call', { name: 'old-1__echo', arguments: { mode: 'hang' } });
    const pending = post('/mcp', call, headers);
    await expect
      .poll(() =>
        [...edge.gateway.sessions.all()].some(({ inFlight }) =>
          [...inFlight].some((one) => one.id === call.id),
        ),
      )
      .toBe(true);
    await post(
      '/mcp',
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: call.id } },
      headers,
    );
    expect(await (await pending).json()).toMatchObject({ error: {} });
  });

  it('sends updates of subscribed resources on the GET stream, with the URI the client knows', async () => {
    const { headers } = await openSession();
    const uri = 'gm.old-1+demo://one';
    expect(await (await post('/mcp', rpc('resources/read', { uri }), headers)).json()).toMatchObject({
      result: { contents: [{ uri }] },
    });
    await post('/mcp', rpc('resources/subscribe', { uri }), headers);
    expect(legacy.subscribed).toContain('demo://one');
    edge.pool.get('old-1')!.events.emit({
      kind: 'notification',
      notification: {
        jsonrpc: '2.0',
        method: 'notifications/resources/updated',
        params: { uri: 'demo://one' },
      },
    });
    const stream = await fetch(`${edge.url}/mcp`, { headers: { ...headers, accept: 'text/event-stream' } });
    const reader = stream.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toContain(uri);
    await reader.cancel();
    await post('/mcp', rpc('resources/unsubscribe', { uri }), headers);
    expect(legacy.subscribed).not.toContain('demo://one');
  });

  it.each([
    ['no JSON', '{', {}, 400, -32700],
    ['no message', '[]', {}, 400, -32600],
    ['no session', rpc('tools/list'), {}, 400, -32600],
    ['a foreign session', rpc('tools/list'), { 'mcp-session-id': 'x' }, 404, -32001],
    ['a strange version', rpc('tools/list'), { 'mcp-protocol-version': '1999-01-01' }, 400, -32022],
    ['text', 'hello', { 'content-type': 'text/plain' }, 415, -32600],
    ['too much', `"${'x'.repeat(100_001)}"`, {}, 413, -32600],
  ])('refuses %s', async (_, body, headers, status, code) => {
    const response = await post('/mcp', body, headers);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', id: null, error: { code } });
  });

  it('answers unknown tools, methods and mounts by their codes', async () => {
    const { headers } = await openSession();
    expect(await (await post('/mcp', rpc('tools/call', { name: 'nope' }), headers)).json()).toMatchObject({
      error: { code: -32602 },
    });
    expect(await (await post('/mcp', rpc('no/such'), headers)).json()).toMatchObject({
      error: { code: -32601 },
    });
    expect((await post('/mcp/servers/nope', rpc('initialize', {}))).status).toBe(404);
    expect((await post('/mcp/categories/nope', rpc('initialize', {}))).status).toBe(404);
  });
});

describe('modern wire', () => {
  it('discovers, lists with caching hints, and reads', async () => {
    const discover = await callModern('/mcp', 'server/discover');
    expect(discover.body.result).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      ttlMs: expect.any(Number),
    });
    const list = await callModern('/mcp/servers/new-1', 'tools/list');
    expect(list.body.result).toMatchObject({
      resultType: 'complete',
      tools: [echo],
      ttlMs: 7,
      cacheScope: 'public',
    });
    const read = await callModern('/mcp', 'resources/read', { uri: 'gm.old-1+demo://one' });
    expect(read.body.result).toMatchObject({
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
      contents: [{ uri: 'gm.old-1+demo://one' }],
    });
  });

  it('passes input_required and its state through (modern on modern)', async () => {
    const asked = await callModern('/mcp', 'tools/call', { name: 'new-1__echo' });
    expect(asked.body.result).toMatchObject({ resultType: 'input_required', requestState: 'mine' });
    const done = await callModern('/mcp', 'tools/call', {
      name: 'new-1__echo',
      requestState: 'mine',
      inputResponses: { q: { action: 'accept' } },
    });
    expect(done.body.result?.['structuredContent']).toEqual({
      inputResponses: { q: { action: 'accept' } },
      requestState: 'mine',
    });
  });

  it('parks the question of a legacy upstream (modern on legacy)', async () => {
    const capable = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
    const params = { name: 'old-1__echo', arguments: { mode: 'ask' } };
    const asked = await callModern('/mcp', 'tools/call', params, capable);
    expect(asked.body.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { r1: { method: 'elicitation/create' } },
    });
    const requestState = asked.body.result?.['requestState'];
    const done = await callModern(
      '/mcp',
      'tools/call',
      { ...params, requestState, inputResponses: { r1: { action: 'accept' } } },
      capable,
    );
    expect(done.body.result).toMatchObject({
      resultType: 'complete',
      structuredContent: { answer: { action: 'accept' } },
    });
    const replay = await callModern('/mcp', 'tools/call', { ...params, requestState }, capable);
    expect(replay.body.error?.code).toBe(-32602);
  });

  it('cancels when the client closes the connection', async () => {
    const controller = new AbortController();
    const { body, headers } = modernCall('tools/call', { name: 'old-1__echo', arguments: { mode: 'hang' } });
    const pending = fetch(`${edge.url}/mcp`, {
      method: 'POST',
      signal: controller.signal,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const count = legacy.asked.length;
    await expect.poll(() => legacy.asked.length).toBeGreaterThan(count);
    const { signal } = legacy.asked.at(-1)!.options;
    controller.abort();
    await expect(pending).rejects.toThrow();
    await expect.poll(() => signal?.aborted).toBe(true);
  });

  it('listens: acknowledged first, every message stamped', async () => {
    const uri = 'gm.old-2+demo://one';
    const { body, headers } = modernCall('subscriptions/listen', {
      notifications: { resourceSubscriptions: [uri] },
    });
    const controller = new AbortController();
    const response = await fetch(`${edge.url}/mcp`, {
      method: 'POST',
      signal: controller.signal,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const messages: JsonObject[] = [];
    await readEvents(response, (message) => {
      messages.push(message);
      if (messages.length > 1) controller.abort();
      else
        edge.pool.get('old-2')!.events.emit({
          kind: 'notification',
          notification: {
            jsonrpc: '2.0',
            method: 'notifications/resources/updated',
            params: { uri: 'demo://one' },
          },
        });
    }).catch(() => {});
    const stamp = { 'io.modelcontextprotocol/subscriptionId': body.id };
    expect(messages).toMatchObject([
      {
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: { resourceSubscriptions: [uri] }, _meta: stamp },
      },
      { method: 'notifications/resources/updated', params: { uri, _meta: stamp } },
    ]);
  });

  it.each<[string, string, JsonObject, JsonObject, Record<string, string>, number, number]>([
    ['a header that says another method', 'tools/list', {}, {}, { 'mcp-method': 'ping' }, 400, -32020],
    [
      'a header that says another name',
      'tools/call',
      { name: 'old-1__echo' },
      {},
      { 'mcp-name': 'x' },
      400,
      -32020,
    ],
    [
      'a broken Base64 name',
      'tools/call',
      { name: 'old-1__echo' },
      {},
      { 'mcp-name': '=?base64?%%%?=' },
      400,
      -32020,
    ],
    [
      'a missing parameter header',
      'tools/call',
      { name: 'old-1__echo', arguments: { region: 'eu' } },
      {},
      {},
      400,
      -32020,
    ],
    [
      'a wrong parameter header',
      'tools/call',
      { name: 'old-1__echo', arguments: { region: 'eu' } },
      {},
      { 'mcp-param-region': 'us' },
      400,
      -32020,
    ],
    [
      'an unknown version',
      'tools/list',
      {},
      { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' },
      { 'mcp-protocol-version': '2099-01-01' },
      400,
      -32022,
    ],
    [
      'no capabilities',
      'tools/list',
      {},
      { 'io.modelcontextprotocol/clientCapabilities': 7 },
      {},
      400,
      -32602,
    ],
    ['an unknown method', 'no/such', {}, {}, {}, 404, -32601],
    ['a method of the other era', 'ping', {}, {}, {}, 404, -32601],
    ['an unknown tool', 'tools/call', { name: 'nope' }, {}, {}, 200, -32602],
    ['an unknown resource', 'resources/read', { uri: 'x://y' }, {}, {}, 200, -32602],
    ['a forged state', 'tools/call', { name: 'old-1__echo', requestState: 'a.b' }, {}, {}, 200, -32602],
  ])('refuses %s', async (_, method, params, meta, headers, status, code) => {
    const answer = await callModern('/mcp', method, params, meta, headers);
    expect(answer).toMatchObject({ status, body: { error: { code } } });
  });

  it('takes a parameter header in Base64', async () => {
    const headers = { 'mcp-param-region': `=?base64?${Buffer.from('ยุโรป').toString('base64')}?=` };
    const answer = await callModern(
      '/mcp',
      'tools/call',
      { name: 'old-1__echo', arguments: { region: 'ยุโรป' } },
      {},
      headers,
    );
    expect(answer.status).toBe(200);
  });

  it('has no GET', async () => {
    const response = await fetch(`${edge.url}/mcp`, { headers: { 'mcp-protocol-version': '2026-07-28' } });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });
});
