import { type IncomingHttpHeaders, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';
import { stdioFixture } from './start-fixture.ts';

let coordinator: RunningCoordinator;
beforeAll(async () => {
  coordinator = await startCoordinator({ servers: 1, mcpServers: { fixture: stdioFixture() } });
});
afterAll(async () => coordinator?.[Symbol.asyncDispose]());

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A request whose headers are ours alone: fetch would set Host itself. */
function send(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Reply> {
  const { hostname, port } = new URL(coordinator.origin);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const base = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

function post(message: unknown, headers: Record<string, string> = {}, path = '/mcp'): Promise<Reply> {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return send('POST', path, { ...base, ...headers }, body);
}

function modern(method: string, params: object = {}, headers: Record<string, string> = {}): Promise<Reply> {
  const message = { jsonrpc: '2.0', id: 'm-1', method, params: { ...params, _meta: modernMeta } };
  return post(message, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...headers });
}

/** The JSON-RPC message of a reply, from its body or from its first event with data. */
function messageOf({ text, headers }: Reply): { id: unknown; result?: unknown; error?: { code: number } } {
  if (!headers['content-type']?.includes('text/event-stream')) return JSON.parse(text);
  return JSON.parse(/^data: ?(\{.*)$/m.exec(text)?.[1] ?? 'null');
}

async function openSession(): Promise<string> {
  const reply = await post(initialize);
  expect(reply.status).toBe(200);
  const id = reply.headers['mcp-session-id'];
  expect(id).toMatch(/^[\x21-\x7e]+$/);
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, { 'mcp-session-id': String(id) });
  return String(id);
}

describe('Host and Origin', () => {
  const paths = ['/mcp', '/mcp/servers/fixture', '/mcp/categories/core', '/api/v1/status', '/healthz'];

  it.each(paths)('%s refuses a name that a page elsewhere could point to us', async (path) => {
    for (const host of [
      'evil.example.com',
      'evil.example.com:80',
      '127.0.0.1.evil.example.com',
      'localhost.evil',
    ]) {
      const method = path.startsWith('/mcp') ? 'POST' : 'GET';
      const reply = await send(
        method,
        path,
        { ...base, host },
        method === 'POST' ? JSON.stringify(initialize) : undefined,
      );
      expect([host, reply.status]).toEqual([host, 403]);
    }
  });

  it('refuses the Origin of another site and takes that of this machine', async () => {
    const { port } = new URL(coordinator.origin);
    for (const origin of ['http://evil.example.com', 'https://localhost.evil.com', 'null', 'file://']) {
      expect([origin, (await post(initialize, { origin })).status]).toEqual([origin, 403]);
    }
    for (const origin of [`http://localhost:${port}`, `http://127.0.0.1:${port}`, `http://[::1]:${port}`]) {
      expect([origin, (await post(initialize, { origin })).status]).toEqual([origin, 200]);
    }
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      expect([host, (await post(initialize, { host })).status]).toEqual([host, 200]);
    }
  });

  it.each(['0.0.0.0', '::', '192.0.2.1'])('start --host %s is refused with exit code 5', async (host) => {
    const { code, stderr } = await runCli(
      ['start', '--servers', '0', '--port', '0', '--host', host, '--json'],
      {
        cwd: coordinator.dataDir,
      },
    );
    expect({ code, stderr }).toMatchObject({ code: 5 });
    expect(stderr).toContain('127.0.0.1');
  });
});

describe('legacy sessions', () => {
  it('are opened, used and ended', async () => {
    const id = await openSession();
    const ping = await post({ jsonrpc: '2.0', id: 2, method: 'ping' }, { 'mcp-session-id': id });
    expect(messageOf(ping)).toMatchObject({ id: 2, result: {} });
    expect((await send('DELETE', '/mcp', { 'mcp-session-id': id })).status).toBeLessThan(300);
    const after = await post({ jsonrpc: '2.0', id: 3, method: 'ping' }, { 'mcp-session-id': id });
    expect(after.status).toBe(404);
  });

  it('answer 404 for a session nobody opened and 400 for none', async () => {
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    expect((await post(ping, { 'mcp-session-id': 'nobody' })).status).toBe(404);
    expect((await post(ping)).status).toBe(400);
    expect(
      (await send('GET', '/mcp', { accept: 'text/event-stream', 'mcp-session-id': 'nobody' })).status,
    ).toBe(404);
  });

  it('answer 202 without a body to notifications and responses', async () => {
    const headers = { 'mcp-session-id': await openSession() };
    const notification = await post({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' }, headers);
    expect([notification.status, notification.text]).toEqual([202, '']);
    const response = await post({ jsonrpc: '2.0', id: 99, result: {} }, headers);
    expect([response.status, response.text]).toEqual([202, '']);
  });

  it('answer 400 to a protocol version that does not exist', async () => {
    const headers = { 'mcp-session-id': await openSession(), 'mcp-protocol-version': '1999-01-01' };
    expect((await post({ jsonrpc: '2.0', id: 2, method: 'ping' }, headers)).status).toBe(400);
  });

  it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'speak %s when asked',
    async (version) => {
      const reply = await post({ ...initialize, params: { ...initialize.params, protocolVersion: version } });
      expect(messageOf(reply).result).toMatchObject({ protocolVersion: version });
    },
  );

  it('offer a version they know to a client that asks for another', async () => {
    const reply = await post({
      ...initialize,
      params: { ...initialize.params, protocolVersion: '2031-01-01' },
    });
    expect(messageOf(reply).result).toMatchObject({ protocolVersion: '2025-11-25' });
  });
});

describe('bad requests', () => {
  it('answer parse errors and invalid requests with 400', async () => {
    const broken = await post('{"jsonrpc":');
    expect([broken.status, messageOf(broken).error?.code]).toEqual([400, -32700]);
    const invalid = await post({ hello: 'world' });
    expect([invalid.status, messageOf(invalid).error?.code]).toEqual([400, -32600]);
    const empty = await post('');
    expect(empty.status).toBe(400);
  });

  it('answer 405 with Allow to methods nobody uses here', async () => {
    for (const method of ['PUT', 'PATCH']) {
      const reply = await send(method, '/mcp', base, '{}');
      expect(reply.status).toBe(405);
      expect(reply.headers.allow).toContain('POST');
    }
  });

  it('answer 415 to another content type', async () => {
    const text = await send(
      'POST',
      '/mcp',
      { ...base, 'content-type': 'text/plain' },
      JSON.stringify(initialize),
    );
    expect(text.status).toBe(415);
  });

  it('answer 404 to mounts and pages that do not exist', async () => {
    expect((await post(initialize, {}, '/mcp/servers/nobody')).status).toBe(404);
    expect((await post(initialize, {}, '/mcp/categories/nothing')).status).toBe(404);
    expect((await post(initialize, {}, '/mcp/servers/..%2f..%2fetc')).status).toBe(404);
    expect((await send('GET', '/nothing', {})).status).toBe(404);
  });
});

describe('modern requests', () => {
  it('discover', async () => {
    const reply = await modern('server/discover');
    expect(reply.status).toBe(200);
    expect(reply.headers['mcp-session-id']).toBeUndefined();
    expect(messageOf(reply).result).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
    });
  });

  it('answer 404 with -32601 to unknown and removed methods', async () => {
    for (const method of [
      'nothing/here',
      'constructor',
      '__proto__',
      'initialize',
      'ping',
      'logging/setLevel',
      'resources/subscribe',
    ]) {
      const reply = await modern(method);
      expect([method, reply.status, messageOf(reply).error?.code]).toEqual([method, 404, -32601]);
    }
  });

  it('answer 400 with -32020 when header and body disagree', async () => {
    const call = { name: 'fixture__echo', arguments: { text: 'x' } };
    const cases: Record<string, string>[] = [
      { 'mcp-name': 'fixture__other' },
      {},
      { 'mcp-name': 'fixture__echo', 'mcp-method': 'tools/list' },
      { 'mcp-name': 'fixture__echo', 'mcp-protocol-version': '2025-11-25' },
    ];
    for (const headers of cases) {
      const reply = await modern('tools/call', call, headers);
      expect([headers, reply.status, messageOf(reply).error?.code]).toEqual([headers, 400, -32020]);
    }
    expect((await modern('tools/call', call, { 'mcp-name': 'fixture__echo' })).status).toBe(200);
  });

  it('answer 400 with -32020 when a parameter header disagrees', async () => {
    const call = { name: 'fixture__test_custom_header', arguments: { region: 'โตเกียว' } };
    const encoded = `=?base64?${Buffer.from('โตเกียว').toString('base64')}?=`;
    const wrong = await modern('tools/call', call, { 'mcp-name': call.name, 'mcp-param-region': 'osaka' });
    expect([wrong.status, messageOf(wrong).error?.code]).toEqual([400, -32020]);
    const unpadded = { name: call.name, arguments: { region: 'Hello' } };
    const broken = await modern('tools/call', unpadded, {
      'mcp-name': call.name,
      'mcp-param-region': '=?base64?SGVsbG8?=',
    });
    expect([broken.status, messageOf(broken).error?.code]).toEqual([400, -32020]);
    const right = await modern('tools/call', call, { 'mcp-name': call.name, 'mcp-param-region': encoded });
    expect(messageOf(right).result).toMatchObject({ content: [{ text: 'region: โตเกียว' }] });
  });

  it('answer 400 with -32022 to an unknown version, naming those that are known', async () => {
    const message = {
      jsonrpc: '2.0',
      id: 7,
      method: 'server/discover',
      params: { _meta: { ...modernMeta, 'io.modelcontextprotocol/protocolVersion': '2031-01-01' } },
    };
    const reply = await post(message, {
      'mcp-protocol-version': '2031-01-01',
      'mcp-method': 'server/discover',
    });
    expect(reply.status).toBe(400);
    expect(messageOf(reply)).toMatchObject({
      id: 7,
      error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2031-01-01' } },
    });
  });

  it('answer a state that was made up with -32602', async () => {
    const params = {
      name: 'fixture__test_input_required_result_elicitation',
      arguments: {},
      inputResponses: { user_name: { action: 'accept', content: { name: 'x' } } },
      requestState: 'made-up',
    };
    const reply = await modern('tools/call', params, { 'mcp-name': params.name });
    expect(messageOf(reply).error?.code).toBe(-32602);
  });
});
