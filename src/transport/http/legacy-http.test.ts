import { afterEach, describe, expect, it, vi } from 'vitest';
import { startHttpUpstream } from '../../../test/fixtures/upstream-process.ts';
import { createHarness, json, writeEvent } from '../../../test/fixtures/upstream-scripted.ts';
import type { RpcNotification } from '../../kernel/json-rpc.ts';

const harness = createHarness();

afterEach(() => harness[Symbol.asyncDispose]());

const call = { name: 'a', arguments: {} };

describe('the legacy era', () => {
  it('opens a new session when the server forgot the old one, once for all who notice', async () => {
    const upstream = harness.adopt(await startHttpUpstream('upstream-v1'));
    const notifications: string[] = [];
    const onNotification = ({ method }: RpcNotification) => void notifications.push(method);
    const connection = await harness.connect(upstream.url, { onNotification });
    await connection.subscribe('fixture://one');
    await fetch(new URL('/forget', upstream.url));
    const echo = { name: 'echo', arguments: { text: 'again' } };
    const answers = await Promise.all([1, 2, 3].map(() => connection.request('tools/call', echo)));
    for (const answer of answers) expect(answer).toEqual({ content: [{ type: 'text', text: 'again' }] });
    expect(await (await fetch(new URL('/count', upstream.url))).text()).toBe('1');
    expect(notifications).toContain('notifications/tools/list_changed');
    // The stream and the subscription are those of the new session.
    await vi.waitFor(async () => {
      await connection.request('tools/call', { name: 'change', arguments: { kind: 'resource' } });
      expect(notifications).toContain('notifications/resources/updated');
    });
    await connection.close();
    expect(await (await fetch(new URL('/count', upstream.url))).text()).toBe('0');
  });

  it('loses no call that comes while the new session is being opened', async () => {
    let opened = 0;
    const opening = Promise.withResolvers<() => void>();
    const upstream = await harness.listen((sent, response) => {
      const { method, id } = sent.body;
      const current = `s${opened}`;
      if (method === 'tools/call' && sent.headers['mcp-session-id'] !== 's2')
        return (response.writeHead(404).end(), true);
      if (method !== 'initialize') return false;
      opened += 1;
      const answer = {
        protocolVersion: '2025-11-25',
        capabilities: {},
        serverInfo: { name: 'n', version: '1' },
      };
      const reply = () =>
        json(response, { jsonrpc: '2.0', id, result: answer }, 200, { 'mcp-session-id': `s${opened}` });
      if (current === 's0') return reply();
      opening.resolve(reply);
      return true;
    });
    const connection = await harness.connect(upstream.url);
    const first = connection.request('tools/call', call);
    const answer = await opening.promise;
    const meanwhile = connection.request('tools/call', call);
    await vi.waitFor(() =>
      expect(upstream.seen().filter((method) => method === 'tools/call')).toHaveLength(2),
    );
    answer();
    expect(await Promise.all([first, meanwhile])).toEqual([{ content: [] }, { content: [] }]);
    expect(opened).toBe(2);
  });

  it('takes an HTTP 400 about the session for the same', async () => {
    const error = { code: -32000, message: 'Bad Request: No valid session ID provided' };
    let calls = 0;
    const upstream = await harness.listen((sent, response) => {
      if (sent.body.method !== 'tools/call' || calls++ > 0) return false;
      return json(response, { jsonrpc: '2.0', id: null, error }, 400);
    });
    const connection = await harness.connect(upstream.url);
    expect(await connection.request('tools/call', call)).toEqual({ content: [] });
    expect(upstream.seen().filter((method) => method === 'initialize')).toHaveLength(2);
  });

  it('does not try for ever when every session is lost at once', async () => {
    const upstream = await harness.listen((sent, response) =>
      sent.body.method === 'tools/call' ? (response.writeHead(404).end(), true) : false,
    );
    const connection = await harness.connect(upstream.url);
    await expect(connection.request('tools/call', call)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      data: { problem: 'HTTP 404' },
    });
    expect(upstream.seen().filter((method) => method === 'tools/call')).toHaveLength(2);
  });

  it('is over when no new session can be opened', async () => {
    const onClose = vi.fn<(error: Error) => void>();
    let initialized = 0;
    const upstream = await harness.listen((sent, response) => {
      if (sent.body.method === 'initialize' && initialized++ > 0)
        return (response.writeHead(503).end(), true);
      return sent.body.method === 'tools/call' ? (response.writeHead(404).end(), true) : false;
    });
    const connection = await harness.connect(upstream.url, { onClose });
    await expect(connection.request('tools/call', call)).rejects.toMatchObject({ name: 'AppError' });
    expect(onClose).toHaveBeenCalledTimes(1);
    await expect(connection.request('tools/call', call)).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
  });

  it('resumes the stream of a call that ended before its answer', async () => {
    let callId: unknown;
    const upstream = await harness.listen((sent, response) => {
      if (sent.body.method === 'tools/call') {
        callId = sent.body.id;
        writeEvent(response, '', 'e1');
        response.end('retry: 10\n\n');
        return true;
      }
      const resumedFrom = sent.headers['last-event-id'];
      if (resumedFrom === undefined) return false;
      if (resumedFrom === 'e1')
        writeEvent(
          response,
          {
            jsonrpc: '2.0',
            method: 'notifications/progress',
            params: { progressToken: callId, progress: 1 },
          },
          'e2',
        );
      else writeEvent(response, { jsonrpc: '2.0', id: callId, result: { done: true } }, 'e3');
      if (resumedFrom === 'e1') response.write('retry: 10\n\n');
      response.end();
      return true;
    });
    const connection = await harness.connect(upstream.url);
    const onNotification = vi.fn<(notification: RpcNotification) => void>();
    const params = { ...call, _meta: { progressToken: 't' } };
    expect(await connection.request('tools/call', params, { onNotification })).toEqual({ done: true });
    expect(onNotification.mock.calls[0]![0].params).toEqual({ progressToken: 't', progress: 1 });
  });

  it('gives a call up whose stream cannot be resumed', async () => {
    const upstream = await harness.listen((sent, response) => {
      if (sent.body.method !== 'tools/call') return false;
      writeEvent(response, '', 'e1');
      response.end('retry: 1\n\n');
      return true;
    });
    const connection = await harness.connect(upstream.url);
    await expect(connection.request('tools/call', call)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
      data: { problem: 'its stream could not be resumed (HTTP 405)' },
    });
  });

  it('reopens the stream of the server where it ended', async () => {
    let streams = 0;
    const upstream = await harness.listen((sent, response) => {
      if (sent.method !== 'GET') return false;
      streams += 1;
      writeEvent(response, { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }, `s${streams}`);
      if (streams === 1) response.end('retry: 1\n\n');
      return true;
    });
    const onNotification = vi.fn<(notification: RpcNotification) => void>();
    await harness.connect(upstream.url, { onNotification });
    await vi.waitFor(() => expect(onNotification).toHaveBeenCalledTimes(2));
    expect(upstream.sent.at(-1)!.headers['last-event-id']).toBe('s1');
  });

  it('sends the answer of a client as a message of its own', async () => {
    const upstream = await harness.listen((sent, response) => {
      if (sent.body.method !== 'tools/call') return false;
      writeEvent(response, { jsonrpc: '2.0', id: 'q', method: 'elicitation/create', params: {} });
      return true;
    });
    const connection = await harness.connect(upstream.url);
    const abort = new AbortController();
    const onRequest = async () => ({ action: 'decline' });
    const pending = connection
      .request('tools/call', call, { onRequest, signal: abort.signal })
      .catch(() => 'over');
    const answer = { jsonrpc: '2.0', id: 'q', result: { action: 'decline' } };
    await vi.waitFor(() => expect(upstream.sent.map((sent) => sent.body)).toContainEqual(answer));
    abort.abort();
    expect(await pending).toBe('over');
    await vi.waitFor(() => expect(upstream.seen()).toContain('notifications/cancelled'));
  });
});
