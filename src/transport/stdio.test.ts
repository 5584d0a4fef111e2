import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createFakeClock } from '../kernel/clock.ts';
import type { JsonObject } from '../kernel/json-rpc.ts';
import { type Logger, silentLogger } from '../kernel/log.ts';
import { readProcess } from './child/process-table.ts';
import type { Connection, ConnectionEvents } from './connection.ts';
import { createProcessLedger } from './process-ledger.ts';
import { connectStdio, type StdioDependencies, type StdioSpec } from './stdio.ts';

const fixture = fileURLToPath(new URL('../../test/fixtures/upstream-raw.ts', import.meta.url));
const opened: Connection[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});

async function connect(
  habit: string,
  options: Partial<StdioSpec> = {},
  events: ConnectionEvents = {},
  deps: Partial<StdioDependencies> = {},
): Promise<Connection> {
  const spec = { server: 'raw', command: process.execPath, args: [fixture, habit], ...options };
  const connection = await connectStdio(spec, events, { logger: silentLogger, ...deps });
  opened.push(connection);
  return connection;
}

async function call(connection: Connection, args: JsonObject = {}, options = {}): Promise<unknown> {
  const result = await connection.request('tools/call', { name: 'any', arguments: args }, options);
  const [block] = result['content'] as { text: string }[];
  return block && JSON.parse(block.text);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Dead, and not yet reaped by whoever has inherited it.
  return process.platform !== 'linux' || readProcess(pid)?.state !== 'Z';
}

describe('starting a server', () => {
  it('names a program that does not exist', async () => {
    const failed = connect('any', { command: 'no-such-program-here' });
    await expect(failed).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      message: expect.stringContaining('no-such-program-here'),
    });
  });

  it('names a working folder that does not exist', async () => {
    await expect(connect('any', { cwd: join(tmpdir(), 'no', 'such', 'folder') })).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      message: expect.stringContaining('working folder'),
    });
  });

  it('tells the exit code of a server that ends at once', async () => {
    await expect(connect('exits')).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      data: { problem: 'it exited with code 7' },
    });
  });

  it('starts a server anew that died of the probe', async () => {
    expect(await connect('dies-of-probe')).toMatchObject({ era: 'legacy', protocolVersion: '2025-06-18' });
  });

  it('gives up on a server that never answers, and leaves no process', async () => {
    const ledgerDir = await mkdtemp(join(tmpdir(), 'ledger-'));
    const ledger = createProcessLedger(ledgerDir);
    const pids: number[] = [];
    const spied = { ...ledger, record: (pid: number) => (pids.push(pid), ledger.record(pid)) };
    await expect(
      connect('silent', { limits: { startMs: 300 } }, {}, { ledger: spied }),
    ).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    expect(pids.map(isAlive)).toEqual([false]);
    await rm(ledgerDir, { recursive: true });
  });

  it('refuses a protocol version from the future', async () => {
    await expect(connect('future')).rejects.toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
  });

  it.each([
    ['late-both', 'legacy'],
    ['late-legacy', 'legacy'],
    ['late-modern', 'modern'],
  ])('settles the era of a slow server that has both questions: %s', async (habit, era) => {
    const clock = createFakeClock();
    const connecting = connect(habit, {}, {}, { clock });
    let isDone = false;
    void connecting.finally(() => (isDone = true)).catch(() => {});
    await vi.waitFor(
      () => {
        if (!isDone) clock.advance(100);
        expect(isDone).toBe(true);
      },
      { timeout: 15_000, interval: 20 },
    );
    expect((await connecting).era).toBe(era);
  });
});

describe('a running server', () => {
  it('survives rubbish on stdout, with one warning', async () => {
    const warn = vi.fn<Logger['warn']>();
    const connection = await connect('noisy', {}, {}, { logger: { ...silentLogger, warn } });
    await call(connection);
    await call(connection);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('fails a call at once whose answer is cut off', async () => {
    const connection = await connect('cuts');
    await expect(call(connection)).rejects.toMatchObject({ code: 'UPSTREAM_PROTOCOL' });
    expect(await connection.request('ping')).toEqual({});
  });

  it('is not disturbed by listeners that throw', async () => {
    const error = vi.fn<Logger['error']>();
    const fail = () => {
      throw new Error('listener');
    };
    const connection = await connect(
      'chatty',
      {},
      { onNotification: fail },
      { logger: { ...silentLogger, error } },
    );
    const params = { name: 'any', _meta: { progressToken: 1 } };
    await connection.request('tools/call', params, { onNotification: fail });
    expect(error).toHaveBeenCalledTimes(2);
  });

  it('is cut off when it sends more than is allowed', async () => {
    const onClose = vi.fn<(error: Error) => void>();
    const connection = await connect('huge', { maxMessageBytes: 1_000_000 }, { onClose });
    const problem = 'it sent a message of more than 1000000 bytes';
    await expect(call(connection)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED', data: { problem } });
    expect(onClose).toHaveBeenCalledTimes(1);
  });

  it('sees its own environment and none of ours', async () => {
    vi.stubEnv('SECRET_OF_THE_COORDINATOR', 'hunter2');
    const connection = await connect('environment', { env: { OWN: 'ไทย' } });
    vi.unstubAllEnvs();
    const env = (await call(connection)) as Record<string, string>;
    expect(env['OWN']).toBe('ไทย');
    expect(Object.keys(env)).not.toContain('SECRET_OF_THE_COORDINATOR');
  });

  it('waits for a server that does not read, refuses what is too much, and takes back what is cancelled', async () => {
    const connection = await connect('deaf', { maxMessageBytes: 8_000_000 });
    const text = 'x'.repeat(3_000_000);
    const abort = new AbortController();
    const sent = call(connection, { text }, { signal: abort.signal }).catch((error: unknown) => error);
    const queued = call(connection, { text }, { signal: abort.signal }).catch((error: unknown) => error);
    const another = call(connection, { text }).catch((error: unknown) => error);
    await expect(call(connection, { text })).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    abort.abort();
    expect(await sent).toMatchObject({ code: 'REQUEST_CANCELLED' });
    expect(await queued).toMatchObject({ code: 'REQUEST_CANCELLED' });
    // The place of the cancelled one is free again.
    const last = call(connection, { text }).catch((error: unknown) => error);
    await connection.close();
    expect(await another).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(await last).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });

  it('can take back what it asked', async () => {
    const connection = await connect('changes-its-mind');
    const { promise: cancelled, resolve } = Promise.withResolvers<void>();
    const onRequest = async (_: unknown, signal: AbortSignal) => {
      signal.addEventListener('abort', () => resolve());
      return await new Promise<JsonObject>(() => {});
    };
    const abort = new AbortController();
    const pending = call(connection, {}, { onRequest, signal: abort.signal }).catch(
      (error: unknown) => error,
    );
    await cancelled;
    abort.abort();
    expect(await pending).toMatchObject({ code: 'REQUEST_CANCELLED' });
  });
});

describe.skipIf(process.platform === 'win32')('ending a server', () => {
  it('ends descendants that ignore SIGTERM, and where possible those that left the group', async () => {
    const ledgerDir = await mkdtemp(join(tmpdir(), 'ledger-'));
    await using ledger = createProcessLedger(ledgerDir);
    const connection = await connect('stubborn', {}, {}, { ledger });
    const [inGroup, escaped] = (await call(connection)) as [number, number];
    expect([connection.pid!, inGroup, escaped].map(isAlive)).toEqual([true, true, true]);
    await connection.close();
    expect([connection.pid!, inGroup].map(isAlive)).toEqual([false, false]);
    if (process.platform === 'linux') await vi.waitFor(() => expect(isAlive(escaped)).toBe(false));
    else process.kill(escaped, 'SIGKILL');
    await rm(ledgerDir, { recursive: true });
  });

  it('ends the group also when its leader died by itself', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<Error>();
    const connection = await connect('stubborn', {}, { onClose: resolve });
    const [inGroup, escaped] = (await call(connection)) as [number, number];
    process.kill(connection.pid!, 'SIGKILL');
    expect(await closed).toMatchObject({
      code: 'UPSTREAM_FAILED',
      data: { problem: 'it was ended by SIGKILL' },
    });
    await connection.close();
    expect(isAlive(inGroup)).toBe(false);
    process.kill(escaped, 'SIGKILL');
  });
});
