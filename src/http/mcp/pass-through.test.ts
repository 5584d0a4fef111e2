/** Answers that go through as they came, over real sockets on both sides, in all four cells of eras. */

import { describe, expect, it } from 'vitest';
import { startEdge } from '../../../test/fixtures/http-edge.ts';
import { type RawAnswer, startRawUpstream } from '../../../test/fixtures/raw-upstream.ts';
import type { Era } from '../../kernel/protocol.ts';

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const bigText = 'ü'.repeat(30_000);

/** What a server may write, before and after `result`, and the `result` a client must read then. */
const tools: Record<string, (id: number) => RawAnswer> = {
  plain: (id) => ({ body: `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"a"}]}}` }),
  sdk: (id) => ({
    body: `{"result":{"resultType":"complete","content":[{"type":"text","text":"b"}]},"jsonrpc":"2.0","id":${id}}`,
  }),
  spaced: (id) => ({
    body: `{\n "jsonrpc": "2.0",\n "id": ${id},\n "result": {"content": [{"type": "text", "text": "c"}]}\n}\n`,
  }),
  unicode: (id) => ({
    body: `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"\\u0e01ก\\ud83d\\ude00😀\\n\\u0000\\\\\\"\\ud800"}]}}`,
  }),
  quoting: (id) => ({
    body: `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"},\\"jsonrpc\\":\\"2.0\\",\\"id\\":1}"}]}}`,
  }),
  big: (id) => ({
    body: `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"${bigText}"}]}}`,
  }),
  twice: (id) => ({
    body: `{"jsonrpc":"2.0","id":${id},"result":{"content":[]},"result":{"content":[{"type":"text","text":"last"}]}}`,
  }),
  numbers: (id) => ({
    body: `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"structuredContent":{"n":12345678901234567890,"e":1e3,"z":-0.0}}}`,
  }),
  link: (id) => ({
    body: `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"resource_link","uri":"file:///a","name":"a"}]}}`,
  }),
  streamed: (id) => ({
    type: 'text/event-stream',
    body:
      `event: message\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${id},"progress":1}}\n\n` +
      `event: message\ndata: {"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text",\ndata: "text":"d"}]}}\n\n`,
  }),
  failing: (id) => ({
    body: `{"jsonrpc":"2.0","id":${id},"error":{"code":-32007,"message":"no ü","data":{"why":[1]}}}`,
  }),
  both: (id) => ({
    body: `{"jsonrpc":"2.0","id":${id},"result":{"content":[]},"error":{"code":-32007,"message":"both"}}`,
  }),
  cut: (id) => ({ body: `{"jsonrpc":"2.0","id":${id},"result":{"content":[}` }),
};

const results: Record<string, unknown> = Object.fromEntries(
  ['plain', 'sdk', 'spaced', 'unicode', 'quoting', 'big', 'twice', 'numbers'].map((name) => {
    const parsed = JSON.parse(tools[name]!(1).body) as { result: Record<string, unknown> };
    const { resultType: _type, ...rest } = parsed.result;
    return [name, rest];
  }),
);

async function setUp(clientEra: Era, serverEra: Era) {
  const upstream = await startRawUpstream(serverEra, tools);
  const edge = await startEdge({ raw: upstream.url });
  let session: string | undefined;

  /** Posts and reads the answer: JSON, or the messages of a stream. */
  async function post(path: string, body: object | string, name?: string) {
    const method = typeof body === 'object' && 'method' in body ? String(body.method) : '';
    const response = await fetch(edge.url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(clientEra === 'modern' && {
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': method,
          ...(name !== undefined && { 'mcp-name': name }),
        }),
        ...(session !== undefined && { 'mcp-session-id': session }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isStream = response.headers.get('content-type') === 'text/event-stream';
    const messages = (
      isStream
        ? text
            .split('\n\n')
            .filter((event) => event.startsWith('event: message'))
            .map((event) => JSON.parse(event.slice(event.indexOf('data: ') + 6)) as unknown)
        : text === ''
          ? []
          : [JSON.parse(text) as unknown]
    ) as Record<string, unknown>[];
    return { status: response.status, headers: response.headers, text, messages, answer: messages.at(-1)! };
  }

  if (clientEra === 'legacy') {
    const params = {
      protocolVersion: '2025-03-26',
      capabilities: {},
      clientInfo: { name: 't', version: '1' },
    };
    const opened = await post('/mcp', { jsonrpc: '2.0', id: 0, method: 'initialize', params });
    session = opened.headers.get('mcp-session-id') ?? undefined;
  }

  function call(tool: string, id: unknown = 1, extra: Record<string, unknown> = {}) {
    const _meta = { ...(clientEra === 'modern' && meta), ...extra };
    const name = `raw__${tool}`;
    const params = { name, arguments: {}, _meta };
    return post('/mcp', { jsonrpc: '2.0', id, method: 'tools/call', params }, name);
  }

  return {
    post,
    call,
    upstream,
    async [Symbol.asyncDispose]() {
      await edge[Symbol.asyncDispose]();
      upstream[Symbol.dispose]();
    },
  };
}

const cells: [Era, Era][] = [
  ['modern', 'modern'],
  ['modern', 'legacy'],
  ['legacy', 'modern'],
  ['legacy', 'legacy'],
];

describe.each(cells)('a %s client of a %s server', (clientEra, serverEra) => {
  const type = clientEra === 'modern' ? { resultType: 'complete' } : {};

  it('gets the results that the server wrote, whatever their layout', async () => {
    await using edge = await setUp(clientEra, serverEra);
    for (const [tool, result] of Object.entries(results)) {
      const { answer } = await edge.call(tool, tool);
      // What a modern server leaves out is not made up for it.
      const expected = serverEra === 'modern' && clientEra === 'modern' && tool !== 'sdk' ? {} : type;
      expect(answer).toEqual({ jsonrpc: '2.0', id: tool, result: { ...expected, ...(result as object) } });
    }
  });

  it('gets its own id back, whatever it is', async () => {
    await using edge = await setUp(clientEra, serverEra);
    const ids = [
      0,
      -1,
      2 ** 53 - 1,
      1.5,
      '',
      '7',
      '"',
      '\\u0000\u0000',
      'ก😀',
      '","result":{}',
      'x'.repeat(10_000),
    ];
    for (const id of ids) expect((await edge.call('plain', id)).answer['id']).toBe(id);
  });

  it('gets errors as errors, and one when the server writes rubbish', async () => {
    await using edge = await setUp(clientEra, serverEra);
    expect((await edge.call('failing')).answer).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32007, message: 'no ü', data: { why: [1] } },
    });
    expect((await edge.call('both')).answer).toMatchObject({ error: { message: 'both' } });
    expect((await edge.call('cut')).answer).toMatchObject({ error: { data: { code: 'UPSTREAM_PROTOCOL' } } });
  });

  it('gets links under their new names', async () => {
    await using edge = await setUp(clientEra, serverEra);
    expect((await edge.call('link')).answer).toMatchObject({
      result: { content: [{ uri: 'gm.raw+file:///a' }] },
    });
  });

  it('gets progress under its own token and the result behind it, each in one event', async () => {
    await using edge = await setUp(clientEra, serverEra);
    for (const progressToken of ['é\n', 7]) {
      const { messages } = await edge.call('streamed', 'id', { progressToken });
      expect(messages).toHaveLength(2);
      expect(messages[0]).toMatchObject({ method: 'notifications/progress', params: { progressToken } });
      expect(messages[1]).toMatchObject({ id: 'id', result: { content: [{ type: 'text', text: 'd' }] } });
    }
  });
});

describe('text that goes through untouched', () => {
  it('is the server’s own, digits that no number holds included', async () => {
    await using edge = await setUp('modern', 'modern');
    expect((await edge.call('numbers')).text).toContain('"n":12345678901234567890,"e":1e3,"z":-0.0');
  });

  it('is not there for batches, which are answered as arrays', async () => {
    await using edge = await setUp('legacy', 'legacy');
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    const params = { name: 'raw__plain', arguments: {} };
    const { text } = await edge.post(
      '/mcp',
      JSON.stringify([ping, { jsonrpc: '2.0', id: 'b', method: 'tools/call', params }]),
    );
    expect(JSON.parse(text)).toEqual([
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', id: 'b', result: results['plain'] },
    ]);
    expect((await edge.post('/mcp', '[]')).status).toBe(400);
    const notification = { jsonrpc: '2.0', method: 'notifications/initialized' };
    expect((await edge.post('/mcp', JSON.stringify([notification]))).status).toBe(202);
    expect((await edge.post('/mcp', notification)).status).toBe(202);
  });

  it('serves lists too, in both eras and again and again', async () => {
    for (const era of ['modern', 'legacy'] as const) {
      await using edge = await setUp(era, 'modern');
      const params = era === 'modern' ? { _meta: meta } : {};
      for (const id of [1, 'two']) {
        const { answer } = await edge.post('/mcp', { jsonrpc: '2.0', id, method: 'tools/list', params });
        expect(answer['id']).toBe(id);
        const result = answer['result'] as { tools: { name: string }[]; resultType?: string };
        expect(result.tools.map(({ name }) => name)).toContain('raw__plain');
        expect(result.resultType).toBe(era === 'modern' ? 'complete' : undefined);
      }
    }
  });
});
