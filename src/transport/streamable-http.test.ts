import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createHarness, result, startScriptedUpstream } from '../../test/fixtures/upstream-scripted.ts';

const harness = createHarness();

afterEach(() => harness[Symbol.asyncDispose]());

const call = { name: 'a', arguments: {} };

describe('connectHttp', () => {
  it('takes only http and https', async () => {
    await expect(harness.connect('file:///etc/passwd')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(harness.connect('not a url')).rejects.toMatchObject({
      message: expect.stringContaining('must be an http or https URL'),
    });
  });

  it('tells a refused connection, without the URL and what it may hold', async () => {
    const upstream = await startScriptedUpstream();
    await upstream[Symbol.asyncDispose]();
    const failed = harness.connect(upstream.url.replace('//', '//user:hunter2@'));
    await expect(failed).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      data: { problem: 'connection refused' },
    });
  });

  it.each([
    ['404', (_: unknown, response: ServerResponse) => void response.writeHead(404).end('nothing here')],
    ['401', (_: unknown, response: ServerResponse) => void response.writeHead(401).end()],
    [
      'HTML',
      (_: unknown, response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    ],
  ])('fails on an endpoint that is none: %s', async (_, answer) => {
    const upstream = await harness.listen((sent, response) => (answer(sent, response), true));
    await expect(harness.connect(upstream.url)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });

  it.each([
    ['HTTP 400', (_: unknown, response: ServerResponse) => response.writeHead(400).end('Bad Request')],
    ['an empty 202', (_: unknown, response: ServerResponse) => response.writeHead(202).end()],
    [
      'a result of another kind',
      (sent: never, response: ServerResponse) => result(response, sent, { ok: true }),
    ],
    ['a broken link', (_: unknown, response: ServerResponse) => response.destroy()],
  ])('falls back to the legacy era on %s', async (_, answer) => {
    const upstream = await harness.listen((sent, response) => {
      if (sent.body.method !== 'server/discover') return false;
      answer(sent as never, response);
      return true;
    });
    expect(await harness.connect(upstream.url)).toMatchObject({
      era: 'legacy',
      protocolVersion: '2025-11-25',
    });
  });

  it('sends credentials with every request and its own headers over them', async () => {
    const upstream = await harness.listen();
    const headers = { Authorization: 'Bearer t', 'Content-Type': 'text/plain' };
    const connection = await harness.connect(upstream.url, {}, { headers });
    await connection.request('tools/call', call);
    await connection.close();
    for (const sent of upstream.sent) expect(sent.headers['authorization']).toBe('Bearer t');
    expect(upstream.sent[0]!.headers['content-type']).toBe('application/json');
    expect(upstream.seen()).toEqual([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'GET',
      'tools/call',
      'DELETE',
    ]);
    expect(upstream.sent.at(-2)!.headers).toMatchObject({
      'mcp-session-id': 's1',
      'mcp-protocol-version': '2025-11-25',
    });
  });

  it('follows a redirect on the same origin, and no other', async () => {
    const upstream = await harness.listen((sent, response) => {
      if (sent.path === '/mcp/?k=1') return false;
      response.writeHead(307, { location: '/mcp/?k=1' }).end();
      return true;
    });
    const connection = await harness.connect(upstream.url);
    await connection.request('tools/call', call);
    expect(upstream.sent.filter((sent) => sent.path === '/mcp')).toHaveLength(1);

    const elsewhere = await harness.listen(
      (_, response) => (response.writeHead(307, { location: upstream.url }).end(), true),
    );
    const before = upstream.sent.length;
    await expect(harness.connect(elsewhere.url)).rejects.toMatchObject({
      message: expect.stringContaining('redirects elsewhere'),
    });
    expect(upstream.sent).toHaveLength(before);

    const circle = await harness.listen(
      (sent, response) => (response.writeHead(308, { location: `${sent.path}/` }).end(), true),
    );
    await expect(harness.connect(circle.url)).rejects.toMatchObject({
      message: expect.stringContaining('in circles'),
    });
  });
});
