import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHarness, json, result, writeEvent } from '../../../test/fixtures/upstream-scripted.ts';

const harness = createHarness();

afterEach(() => harness[Symbol.asyncDispose]());

const discovered = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, resultType: 'complete' };
const call = { name: 'a', arguments: {} };

describe('the modern era', () => {
  it('repeats the body in the headers, in a form that headers can carry', async () => {
    const upstream = await harness.listen((sent, response) =>
      result(
        response,
        sent,
        sent.body.method === 'server/discover' ? discovered : { resultType: 'complete' },
      ),
    );
    const connection = await harness.connect(upstream.url);
    const peer = { key: 'k', clientInfo: { name: 'c', version: '2' }, capabilities: { sampling: {} } };
    const paramHeaders = { Region: 'eu', city: 'กรุงเทพ', 'evil\r\nx-evil': '1', '': '2' };
    await connection.request(
      'tools/call',
      { ...call, name: 'สวัสดี', _meta: { own: 1 } },
      { peer, paramHeaders },
    );
    const { headers, body } = upstream.sent.at(-1)!;
    const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;
    expect(headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': base64('สวัสดี'),
      'mcp-param-region': 'eu',
      'mcp-param-city': base64('กรุงเทพ'),
    });
    expect(Object.keys(headers).filter((name) => /param|evil/.test(name))).toEqual([
      'mcp-param-region',
      'mcp-param-city',
    ]);
    expect(headers).not.toHaveProperty('mcp-session-id');
    expect(body.params?.['_meta']).toEqual({
      own: 1,
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'c', version: '2' },
      'io.modelcontextprotocol/clientCapabilities': { sampling: {} },
    });
  });

  it('passes an error through that comes with an HTTP status', async () => {
    const error = { code: -32020, message: 'header mismatch', data: { field: 'Mcp-Name' } };
    const upstream = await harness.listen((sent, response) =>
      sent.body.method === 'server/discover'
        ? result(response, sent, discovered)
        : json(response, { jsonrpc: '2.0', id: null, error }, 400),
    );
    const connection = await harness.connect(upstream.url);
    await expect(connection.request('tools/call', call)).rejects.toMatchObject({
      name: 'RpcError',
      ...error,
    });
  });

  it.each([
    ['UPSTREAM_FAILED', 'HTTP 503', (response: ServerResponse) => void response.writeHead(503).end('busy')],
    [
      'UPSTREAM_PROTOCOL',
      'its answer is not JSON',
      (response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end('{'),
    ],
    [
      'UPSTREAM_FAILED',
      'HTTP 200 came without an answer',
      (response: ServerResponse) => void json(response, []),
    ],
    [
      'UPSTREAM_PROTOCOL',
      'it sent a message of more than 1000 bytes',
      (response: ServerResponse) => void json(response, 'x'.repeat(2000)),
    ],
    [
      'UPSTREAM_PROTOCOL',
      'it sent a message of more than 1000 bytes',
      (response: ServerResponse) => writeEvent(response, 'x'.repeat(2000)),
    ],
  ])('rejects with %s on %s', async (code, problem, answer) => {
    const upstream = await harness.listen((sent, response) => {
      if (sent.body.method === 'server/discover') return result(response, sent, discovered);
      answer(response);
      return true;
    });
    const connection = await harness.connect(upstream.url, {}, { maxMessageBytes: 1000 });
    await expect(connection.request('tools/call', call)).rejects.toMatchObject({ code, data: { problem } });
  });

  it('survives one broken answer, as long as the server is there', async () => {
    const onClose = vi.fn<(error: Error) => void>();
    let calls = 0;
    const upstream = await harness.listen((sent, response) => {
      if (sent.body.method === 'tools/call' && calls++ === 0) return (response.destroy(), true);
      return result(response, sent, discovered);
    });
    const connection = await harness.connect(upstream.url, { onClose });
    await expect(connection.request('tools/call', call)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
    await vi.waitFor(() =>
      expect(upstream.seen()).toEqual(['server/discover', 'tools/call', 'server/discover']),
    );
    await connection.request('tools/call', call);
    expect(onClose).not.toHaveBeenCalled();
  });
});
