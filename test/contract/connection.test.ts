/** One battery for every kind of Connection. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AppError, type ErrorCode } from '../../src/kernel/errors.ts';
import { type JsonObject, RpcError, type RpcNotification } from '../../src/kernel/json-rpc.ts';
import type { Peer } from '../../src/kernel/protocol.ts';
import type { Connection, RequestOptions } from '../../src/transport/connection.ts';
import { kinds, type Opened } from '../fixtures/upstream-kinds.ts';

type OnRequest = NonNullable<RequestOptions['onRequest']>;

function textOf(result: JsonObject): string {
  const [block] = result['content'] as { text: string }[];
  return block!.text;
}

function peer(key: string, extra?: Partial<Peer>): Peer {
  return {
    key,
    clientInfo: { name: key, version: '1' },
    capabilities: { elicitation: { form: {} } },
    ...extra,
  };
}

/** Polls until the check passes; the time only bounds a failure. */
async function eventually(check: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(check, { timeout: 15_000, interval: 20 });
}

function withCode(code: ErrorCode): object {
  return expect.objectContaining({ name: 'AppError', code });
}

describe.each(kinds)('$name', (kind) => {
  let opened: Opened;
  let connection: Connection;
  const notifications: RpcNotification[] = [];
  const closed: Error[] = [];

  beforeAll(async () => {
    opened = await kind.open({
      onNotification: (notification) => void notifications.push(notification),
      onClose: (error) => void closed.push(error),
    });
    ({ connection } = opened);
  });

  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
  });

  const call = (name: string, args: JsonObject = {}, options = {}, via = connection) =>
    via.request('tools/call', { name, arguments: args }, options);

  it('finds the era by itself and learns who the server is', () => {
    expect(connection.era).toBe(kind.era);
    expect(connection.server.info.name).toMatch(/^fixture/);
    expect(connection.server.capabilities).toHaveProperty('tools');
    expect(connection.server.instructions).toBe('be kind');
  });

  it('lists and calls', async () => {
    const { tools } = (await connection.request('tools/list')) as { tools: { name: string }[] };
    expect(tools.map((tool) => tool.name)).toContain('echo');
    expect(textOf(await call('echo', { text: 'hello' }))).toBe('hello');
  });

  it.each([
    ['nothing', ''],
    ['Thai', 'สวัสดีชาวโลก ก็ได้ 😀\u2028\u0000\r\n'],
    ['a megabyte', 'ก😀a"\\\n'.repeat(90_000)],
  ])('carries %s unchanged', async (_, text) => {
    expect(textOf(await call('echo', { text })) === text).toBe(true);
  });

  it('keeps 50 concurrent calls apart when they are answered out of order', async () => {
    const numbers = Array.from({ length: 50 }, (_, n) => n);
    const answered: number[] = [];
    const results = await Promise.all(
      numbers.map(async (n) => {
        const text = textOf(await call('delay', { ms: (50 - n) * 4, n }));
        answered.push(n);
        return Number(text);
      }),
    );
    expect(results).toEqual(numbers);
    expect(answered).not.toEqual(numbers);
  });

  it('brings progress back under the token of the caller, for equal tokens too', async () => {
    const run = async (token: string | number) => {
      const seen: RpcNotification[] = [];
      const params = { name: 'count', arguments: {}, _meta: { progressToken: token } };
      await connection.request('tools/call', params, {
        onNotification: (notification) => void seen.push(notification),
      });
      return seen.map(({ method, params: given }) => [method, given?.['progressToken'], given?.['progress']]);
    };
    const expected = (token: unknown) => [1, 2, 3].map((n) => ['notifications/progress', token, n]);
    expect(await Promise.all([run('same'), run('same'), run(0)])).toEqual([
      expected('same'),
      expected('same'),
      expected(0),
    ]);
  });

  it('sends no progress to who did not ask', async () => {
    const seen: RpcNotification[] = [];
    await call(
      'count',
      {},
      { onNotification: (notification: RpcNotification) => void seen.push(notification) },
    );
    expect(seen).toEqual([]);
  });

  it('cancels upstream', async () => {
    const before = Number(textOf(await call('cancelled')));
    const abort = new AbortController();
    const pending = call('hang', {}, { signal: abort.signal });
    // The call must be there before its cancellation.
    await call('delay', { ms: 50, n: 0 });
    abort.abort();
    await expect(pending).rejects.toEqual(withCode('REQUEST_CANCELLED'));
    await eventually(async () => expect(Number(textOf(await call('cancelled')))).toBe(before + 1));
  });

  it('does not send what is cancelled already', async () => {
    const pending = call('echo', { text: '' }, { signal: AbortSignal.abort() });
    await expect(pending).rejects.toEqual(withCode('REQUEST_CANCELLED'));
  });

  it('gives up after the timeout and cancels upstream', async () => {
    const before = Number(textOf(await call('cancelled')));
    await expect(call('hang', {}, { timeoutMs: 100 })).rejects.toEqual(withCode('UPSTREAM_TIMEOUT'));
    await eventually(async () => expect(Number(textOf(await call('cancelled')))).toBe(before + 1));
  });

  it('passes an error of the upstream through', async () => {
    const error = await call(kind.failing.tool).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({
      code: kind.failing.code,
      ...(kind.failing.data !== undefined && { data: kind.failing.data }),
    });
    await expect(connection.request('no/such-method')).rejects.toMatchObject({
      name: 'RpcError',
      code: -32601,
    });
  });

  it('gives a log message to the client whose call caused it', async () => {
    const seen: RpcNotification[] = [];
    const onNotification = (notification: RpcNotification) => void seen.push(notification);
    await call('log', {}, { peer: peer('a', { logLevel: 'debug' }), onNotification });
    expect(seen).toMatchObject([
      { method: 'notifications/message', params: { level: 'info', data: 'said' } },
    ]);
  });

  it.runIf(kind.announces)('hears changes of lists and of subscribed resources', async () => {
    const count = (method: string) =>
      notifications.filter((notification) => notification.method === method).length;
    const listChanged = 'notifications/tools/list_changed';
    const before = count(listChanged);
    await eventually(async () => {
      await call('change', { kind: 'tools' });
      expect(count(listChanged)).toBeGreaterThan(before);
    });
    const updated = 'notifications/resources/updated';
    await call('change', { kind: 'resource' });
    expect(count(updated)).toBe(0);
    await connection.subscribe('fixture://one');
    await call('change', { kind: 'resource' });
    await eventually(() => expect(count(updated)).toBe(1));
    expect(notifications.at(-1)?.params?.['uri']).toBe('fixture://one');
    await connection.unsubscribe('fixture://one');
    await eventually(async () => {
      const beforeChange = count(updated);
      await call('change', { kind: 'resource' });
      await call('delay', { ms: 20, n: 0 });
      expect(count(updated)).toBe(beforeChange);
    });
  });

  it.runIf(kind.era === 'legacy')('lets the upstream ask the client', async () => {
    const params = { message: 'who?', requestedSchema: { type: 'object', properties: {} } };
    const onRequest = vi.fn<OnRequest>(async () => ({ action: 'accept', content: { name: 'สมชาย' } }));
    const result = await call(
      'ask',
      { method: 'elicitation/create', params },
      { peer: peer('a'), onRequest },
    );
    expect(JSON.parse(textOf(result))).toMatchObject({ action: 'accept', content: { name: 'สมชาย' } });
    expect(onRequest).toHaveBeenCalledWith(
      expect.objectContaining({
        method: 'elicitation/create',
        params: expect.objectContaining({ message: 'who?' }),
      }),
      expect.any(AbortSignal),
    );
  });

  it.runIf(kind.era === 'legacy')('answers for the client what needs none', async () => {
    expect(JSON.parse(textOf(await call('ask', { method: 'ping' })))).toEqual({});
    expect(JSON.parse(textOf(await call('ask', { method: 'roots/list' })))).toMatchObject({ roots: [] });
    const sampling = call('ask', {
      method: 'sampling/createMessage',
      params: { messages: [], maxTokens: 1 },
    });
    await expect(sampling).rejects.toMatchObject({ code: -32601 });
  });

  it.runIf(kind.era === 'legacy')('asks nobody when it could be another one who is meant', async () => {
    const abort = new AbortController();
    const askedB = vi.fn<OnRequest>(async () => ({ roots: [] }));
    const other = call('hang', {}, { peer: peer('b'), onRequest: askedB, signal: abort.signal });
    await call('delay', { ms: 50, n: 0 });
    const asking = call(
      'ask',
      { method: 'roots/list', params: { unrelated: true } },
      { peer: peer('a'), onRequest: async () => ({ roots: [] }) },
    );
    await expect(asking).rejects.toMatchObject({ data: { code: 'CLIENT_AMBIGUOUS' } });
    expect(askedB).not.toHaveBeenCalled();
    abort.abort();
    await expect(other).rejects.toEqual(withCode('REQUEST_CANCELLED'));
  });

  it.runIf(kind.era === 'legacy')(
    'passes an error of the client to the upstream without its inner detail',
    async () => {
      const onRequest = async () => {
        throw new Error('password is hunter2');
      };
      const asking = call('ask', { method: 'roots/list' }, { peer: peer('a'), onRequest });
      await expect(asking).rejects.toMatchObject({
        code: -32603,
        message: expect.not.stringContaining('hunter2'),
      });
    },
  );

  it.runIf(kind.era === 'modern' && kind.announces)(
    'passes a request for input through, and the input back',
    async () => {
      const first = await call('input', {}, { peer: peer('a') });
      expect(first).toMatchObject({ resultType: 'input_required', requestState: 'opaque' });
      const inputResponses = { name: { action: 'accept', content: { name: 'สมชาย' } } };
      const params = { name: 'input', arguments: {}, inputResponses, requestState: 'opaque' };
      const second = await connection.request('tools/call', params, { peer: peer('a') });
      expect(JSON.parse(textOf(second))).toEqual(inputResponses);
    },
  );

  it('has not lost the link on the way here', () => {
    expect(closed).toEqual([]);
  });

  it('fails what is in flight when the upstream crashes, and tells it once', async () => {
    const onClose = vi.fn<(error: Error) => void>();
    await using fresh = await kind.open({ onClose });
    const pending = [
      call('hang', {}, {}, fresh.connection),
      call('hang', {}, {}, fresh.connection),
      call('crash', {}, {}, fresh.connection),
    ];
    const failed = await Promise.allSettled(pending);
    for (const outcome of failed)
      expect(outcome).toEqual({ status: 'rejected', reason: withCode('UPSTREAM_FAILED') });
    await eventually(() => expect(onClose).toHaveBeenCalledTimes(1));
    expect(onClose.mock.calls[0]![0]).toBeInstanceOf(AppError);
    await expect(call('echo', { text: '' }, {}, fresh.connection)).rejects.toEqual(
      withCode('UPSTREAM_UNAVAILABLE'),
    );
    await fresh.connection.close();
    expect(onClose).toHaveBeenCalledTimes(1);
  });

  it('closes twice without harm, fails what is in flight and tells nobody', async () => {
    const onClose = vi.fn<(error: Error) => void>();
    await using fresh = await kind.open({ onClose });
    const pending = call('hang', {}, {}, fresh.connection).catch((error: unknown) => error);
    await call('delay', { ms: 10, n: 0 }, {}, fresh.connection);
    await Promise.all([fresh.connection.close(), fresh.connection.close()]);
    expect(await pending).toEqual(withCode('UPSTREAM_FAILED'));
    await expect(call('echo', { text: '' }, {}, fresh.connection)).rejects.toEqual(
      withCode('UPSTREAM_UNAVAILABLE'),
    );
    const { pid } = fresh.connection;
    if (pid !== undefined) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(onClose).not.toHaveBeenCalled();
  });
});
