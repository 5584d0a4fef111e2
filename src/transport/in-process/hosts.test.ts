import { afterEach, describe, expect, it, vi } from 'vitest';
import { upstreamPath } from '../../../test/fixtures/upstream-process.ts';
import { systemClock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { JsonObject, RpcNotification } from '../../kernel/json-rpc.ts';
import { type Logger, silentLogger } from '../../kernel/log.ts';
import type { Connection, ConnectionEvents, RequestOptions } from '../connection.ts';
import type { RunMemory } from './host.ts';
import { createHosts, type Hosts, leastLoaded } from './hosts.ts';

const module = upstreamPath('upstream-built-in');
let hosts: Hosts | undefined;

afterEach(async () => {
  await hosts?.[Symbol.asyncDispose]();
  hosts = undefined;
});

const noMemory: RunMemory = async () => ({});

function start(options: Partial<Parameters<typeof createHosts>[0]> = {}): Hosts {
  hosts = createHosts({ count: 1, logger: silentLogger, memory: noMemory, ...options });
  return hosts;
}

async function open(
  from: Hosts,
  id = 'fixture-1',
  settings?: unknown,
  events: ConnectionEvents = {},
): Promise<Connection> {
  const instance = { id, name: 'fixture', category: 'core', port: 4999, dataDir: '/nowhere' };
  return await from.connect({ server: id, module, instance, settings }, events);
}

async function call(
  connection: Connection,
  name: string,
  args: unknown = {},
  options: RequestOptions = {},
): Promise<JsonObject & { text: string }> {
  const result = await connection.request('tools/call', { name, arguments: args }, options);
  const [block] = result['content'] as { text: string }[];
  return { ...result, text: block!.text };
}

describe('a built-in server', () => {
  it('lists its tools with JSON schemas, and empty lists of what it does not have', async () => {
    const connection = await open(start());
    const list = await connection.request('tools/list');
    expect(list).toMatchObject({ resultType: 'complete', cacheScope: 'public', ttlMs: expect.any(Number) });
    expect((list['tools'] as JsonObject[]).find((tool) => tool['name'] === 'echo')).toEqual({
      name: 'echo',
      title: 'echo',
      description: 'fixture: echo',
      annotations: {},
      inputSchema: expect.objectContaining({
        type: 'object',
        required: ['text'],
        additionalProperties: false,
      }),
      outputSchema: expect.objectContaining({ type: 'object', properties: { value: { type: 'string' } } }),
    });
    expect(await connection.request('prompts/list')).toMatchObject({ prompts: [] });
    expect(await connection.request('resources/list')).toMatchObject({ resources: [] });
    expect(await connection.request('resources/templates/list')).toMatchObject({ resourceTemplates: [] });
    expect(await connection.request('server/discover')).toMatchObject({
      supportedVersions: ['2026-07-28'],
      instructions: 'be kind',
    });
    await expect(connection.subscribe('any:1')).rejects.toMatchObject({ code: 'RESOURCE_NOT_FOUND' });
  });

  it('knows its instance and its settings', async () => {
    const from = start();
    expect(await call(await open(from, 'fixture-7', { greeting: 'สวัสดี' }), 'greet')).toMatchObject({
      structuredContent: { value: 'สวัสดี fixture-7' },
      text: '{"value":"สวัสดี fixture-7"}',
    });
    expect((await call(await open(from, 'fixture-8'), 'greet'))['structuredContent']).toEqual({
      value: 'hello fixture-8',
    });
  });

  it('is refused with settings that do not fit, and with a module that does not load', async () => {
    const from = start();
    await expect(open(from, 'x', { greeting: 5 })).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      message: expect.stringContaining('greeting'),
    });
    const instance = { id: 'x', name: 'x', category: 'core', port: 1, dataDir: '/nowhere' };
    const missing = from.connect({ server: 'x', module: `${module}.gone.ts`, instance, settings: {} }, {});
    await expect(missing).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });

  it.each([
    ['echo', { text: 5 }, /text: .*expected string/],
    ['echo', {}, /text: /],
    ['echo', { text: '', more: 1 }, /more/],
    ['echo', 'no object', /expected object/],
  ])('tells a model which argument of %s is wrong: %j', async (name, args, expected) => {
    const answer = await call(await open(start()), name, args);
    expect(answer).toMatchObject({ isError: true, text: expect.stringMatching(expected) });
    expect(answer).not.toHaveProperty('structuredContent');
  });

  it('lets a model read failures that are meant for it, and nobody the others', async () => {
    const error = vi.fn<Logger['error']>();
    const connection = await open(start({ logger: { ...silentLogger, error } }));
    expect(await call(connection, 'tool_error')).toMatchObject({ isError: true, text: 'try another name' });
    expect(await call(connection, 'app_error')).toMatchObject({
      isError: true,
      text: 'no memory a in scope shared',
    });
    expect(error).not.toHaveBeenCalled();
    for (const name of ['bug', 'bad_output']) {
      const { text, isError } = (await call(connection, name)) as { text: string; isError?: boolean };
      expect(isError).toBe(true);
      const [, id] = /^internal error, id (\w+)$/.exec(text)!;
      await vi.waitFor(() =>
        expect(error.mock.lastCall?.[0]).toMatchObject({ tool: name, id, stack: expect.any(String) }),
      );
    }
    expect(error.mock.calls[0]![0]).toMatchObject({ problem: 'secret detail' });
  });

  it('sends log messages only to who asked for that level', async () => {
    const connection = await open(start());
    const run = async (logLevel: 'info' | 'error' | undefined) => {
      const onNotification = vi.fn<(notification: RpcNotification) => void>();
      const peer = { key: 'a', capabilities: {}, ...(logLevel && { logLevel }) };
      await call(connection, 'log', {}, { peer, onNotification });
      return onNotification.mock.calls.length;
    };
    expect([await run('info'), await run('error'), await run(undefined)]).toEqual([1, 0, 0]);
  });
});

describe('the memory of built-in servers', () => {
  it('knows on whose behalf', async () => {
    const memory = vi.fn<RunMemory>(async () => ({ key: 'k', scope: 'shared', etag: 'e', seq: 7 }));
    const connection = await open(start({ memory }));
    const peer = { key: 'a', clientInfo: { name: 'claude-desktop', version: '1' }, capabilities: {} };
    expect(
      (await call(connection, 'remember', { key: 'k' }, { peer, requestId: 'r1' }))['structuredContent'],
    ).toEqual({ seq: 7 });
    const caller = { actor: 'claude-desktop', agent: 'fixture-1', requestId: 'r1' };
    expect(memory).toHaveBeenCalledWith('store', { key: 'k', value: 1 }, caller);
    await call(connection, 'remember', { key: 'k' });
    expect(memory.mock.lastCall![2]).toEqual({
      actor: 'anonymous',
      agent: 'fixture-1',
      requestId: expect.any(String),
    });
  });

  it('fails with the same words and the same id', async () => {
    const known = new AppError('MEMORY_NOT_FOUND', { key: 'ก', scope: 'shared' });
    const unknown = new TypeError('secret detail');
    const memory = vi.fn<RunMemory>().mockRejectedValueOnce(known).mockRejectedValueOnce(unknown);
    const connection = await open(start({ memory }));
    expect(await call(connection, 'remember', { key: 'k' })).toMatchObject({
      isError: true,
      text: 'no memory ก in scope shared',
    });
    expect(await call(connection, 'remember', { key: 'k' })).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^internal error; the log has the details under the id \w+$/),
    });
  });
});

describe('hosts', () => {
  it('hold a thousand instances and keep them apart', async () => {
    const from = start({ count: 2 });
    const connections = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => open(from, `fixture-${index}`)),
    );
    const answers = await Promise.all(connections.map((connection) => call(connection, 'greet')));
    expect(answers.map((answer) => answer.text)).toEqual(
      Array.from({ length: 1000 }, (_, index) => `{"value":"hello fixture-${index}"}`),
    );
  });

  it.each(['crash', 'throw_later'])(
    'lose only the instances of the host that fails (%s), and replace it',
    async (name) => {
      const from = start({ count: 2 });
      const lost = vi.fn<(error: Error) => void>();
      const kept = vi.fn<(error: Error) => void>();
      const first = await open(from, 'a', undefined, { onClose: lost });
      const second = await open(from, 'b', undefined, { onClose: kept });
      const pending = Promise.allSettled([call(first, 'hang'), call(first, name)]);
      for (const outcome of await pending) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UPSTREAM_FAILED' } });
      }
      expect(lost).toHaveBeenCalledTimes(1);
      await call(second, 'greet');
      expect(kept).not.toHaveBeenCalled();
      expect((await call(await open(from, 'c'), 'greet')).text).toContain('hello c');
    },
  );

  it('get new instances where there is least to do', async () => {
    const from = start({ count: 2 });
    const busy = await open(from, 'busy');
    await open(from, 'idle');
    const [first] = from.census();
    while (first!.utilization < 0.6) await call(busy, 'burn', { ms: 50 });
    for (let n = 0; n < 3; n += 1) await open(from, `next-${n}`);
    expect(from.census().map(({ connections }) => connections)).toEqual([1, 4]);
  });

  it.each([
    [
      'as many each while nothing happens',
      [
        { connections: 9, utilization: 0 },
        { connections: 8, utilization: 0 },
      ],
      1,
    ],
    [
      'the idle one though it has more',
      [
        { connections: 10, utilization: 0.9 },
        { connections: 14, utilization: 0.1 },
      ],
      1,
    ],
    [
      'the busy one when the other has nearly all',
      [
        { connections: 1, utilization: 0.6 },
        { connections: 99, utilization: 0 },
      ],
      0,
    ],
  ])('choose %s', (_, hosts, chosen) => {
    expect(leastLoaded(hosts)).toBe(hosts[chosen]);
  });

  it('survive a promise that a server left behind', async () => {
    const error = vi.fn<Logger['error']>();
    const connection = await open(start({ logger: { ...silentLogger, error } }));
    await call(connection, 'reject_later');
    await call(connection, 'greet');
    expect(error.mock.calls[0]).toEqual([
      expect.objectContaining({ problem: 'left behind' }),
      expect.any(String),
    ]);
  });

  it('notice a tool that holds up its thread, name its server, and move the others with what was not begun', async () => {
    const error = vi.fn<Logger['error']>();
    const lost = { a: vi.fn<(error: Error) => void>(), b: vi.fn<(error: Error) => void>() };
    const from = start({ count: 2, logger: { ...silentLogger, error } });
    const a = await open(from, 'a', undefined, { onClose: lost.a });
    const elsewhere = await open(from, 'elsewhere');
    const b = await open(from, 'b', undefined, { onClose: lost.b });
    const begun = call(b, 'delay', { ms: 60_000, n: 1 }, { timeoutMs: 9000 }).catch(
      (error: unknown) => error,
    );
    await call(b, 'greet');
    const spinning = call(a, 'spin', {}, { timeoutMs: 7000 }).catch((error: unknown) => error);
    const unbegun = call(b, 'greet').catch((error: unknown) => error);
    expect(await unbegun).toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      message: expect.stringContaining('held up by a'),
    });
    expect(error.mock.calls[0]?.[0]).toMatchObject({ server: 'a', connections: 2 });
    expect(lost.a.mock.calls[0]?.[0]).toMatchObject({ data: { heldUpHost: true } });
    expect(lost.b.mock.calls[0]?.[0]).not.toMatchObject({ data: { heldUpHost: true } });
    // The next one goes to a thread that is free.
    expect((await call(await open(from, 'b'), 'greet')).text).toContain('hello b');
    expect((await call(elsewhere, 'greet')).text).toContain('hello elsewhere');
    expect(await spinning).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    // What was begun there waits for as long as it may; then nothing keeps the thread.
    expect(await begun).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
  }, 30_000);

  it('take no more connections when disposed', async () => {
    const from = start({ clock: systemClock });
    const onClose = vi.fn<(error: Error) => void>();
    const connection = await open(from, 'a', undefined, { onClose });
    await from[Symbol.asyncDispose]();
    await expect(open(from)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    await expect(call(connection, 'greet')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(onClose).not.toHaveBeenCalled();
  });
});
