import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLines } from '../../src/cli/stdio/read-lines.ts';
import type { JsonObject } from '../../src/kernel/json-rpc.ts';
import { eventually } from '../e2e/eventually.ts';
import { type McpDouble, startMcpDouble } from './mcp-double.ts';
import { createSandbox, mainPath, type Sandbox } from './run-command.ts';

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** The bridge as a client runs it. */
interface BridgeProcess {
  readonly messages: JsonObject[];
  send(message: unknown): void;
  /** The answer to a request. */
  answer(id: unknown): Promise<JsonObject>;
  /** Closes its standard input and resolves with the exit code. */
  end(): Promise<number | null>;
}

let sandbox: Sandbox;
let double: McpDouble;
let child: ChildProcessWithoutNullStreams | undefined;

beforeEach(async () => {
  sandbox = await createSandbox();
  double = await startMcpDouble();
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await double[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

function bridge(url = double.url, args: readonly string[] = []): BridgeProcess {
  const own = spawn(process.execPath, [mainPath, 'stdio', '--url', url, ...args], {
    cwd: sandbox.project,
    env: sandbox.env,
  });
  child = own;
  const messages: JsonObject[] = [];
  const reading = (async () => {
    for await (const line of readLines(own.stdout)) messages.push(JSON.parse(line) as JsonObject);
  })();
  const closed = new Promise<number | null>((resolve) => own.once('close', resolve));
  return {
    messages,
    send: (message) =>
      own.stdin.write(
        typeof message === 'string'
          ? `${message}\n`
          : `${JSON.stringify({ jsonrpc: '2.0', ...(message as object) })}\n`,
      ),
    answer: (id) =>
      eventually(`the answer to ${String(id)}`, () => messages.find((message) => message['id'] === id)),
    async end() {
      own.stdin.end();
      await reading;
      return await closed;
    },
  };
}

async function initialized(one: BridgeProcess): Promise<void> {
  one.send({ id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25' } });
  one.send({ method: 'notifications/initialized' });
  await one.answer(0);
}

describe('stdio in the legacy era', () => {
  it('carries requests, streamed notifications and Unicode, with session and version', async () => {
    const one = bridge();
    await initialized(one);
    one.send({ id: 'ก', method: 'tools/call', params: { text: 'ก\u2028ข' } });
    expect(await one.answer('ก')).toMatchObject({ result: { echoed: { text: 'ก\u2028ข' } } });
    expect(one.messages.find((message) => message['method'] === 'notifications/progress')).toMatchObject({
      params: { text: 'ข้อความ\u2028x' },
    });
    const call = double.seen.find(({ message }) => message?.['method'] === 'tools/call');
    expect(call?.headers).toMatchObject({ 'mcp-protocol-version': '2025-11-25' });
    expect(call?.headers['mcp-session-id']).toMatch(/^s1-/);
    expect(await one.end()).toBe(0);
    expect(double.seen.at(-1)?.method).toBe('DELETE');
  });

  it("carries the server's own messages and the client's answers", async () => {
    const one = bridge();
    await initialized(one);
    await eventually('the stream', () => double.seen.find(({ method }) => method === 'GET'));
    double.push({ jsonrpc: '2.0', id: 'ask', method: 'sampling/createMessage' });
    await one.answer('ask');
    one.send({ id: 'ask', result: { ok: true } });
    await eventually('the answer', () => double.seen.find(({ message }) => message?.['id'] === 'ask'));
    expect(await one.end()).toBe(0);
  });

  it('opens a new session unnoticed when the endpoint forgot the old one', async () => {
    const one = bridge();
    await initialized(one);
    one.send({ id: 1, method: 'logging/setLevel', params: { level: 'debug' } });
    await one.answer(1);
    double.restart();
    one.send({ id: 2, method: 'tools/list' });
    one.send({ id: 3, method: 'tools/list' });
    expect(await one.answer(2)).toHaveProperty('result.tools');
    expect(await one.answer(3)).toHaveProperty('result.tools');
    expect(double.seen.filter(({ message }) => message?.['method'] === 'initialize')).toHaveLength(2);
    expect(double.seen.filter(({ message }) => message?.['method'] === 'logging/setLevel')).toHaveLength(2);
    expect(one.messages.filter((message) => String(message['id']).startsWith('renew'))).toEqual([]);
    expect(await one.end()).toBe(0);
  });

  it('answers with an error when the endpoint breaks off', async () => {
    const one = bridge();
    await initialized(one);
    one.send({ id: 1, method: 'dies' });
    expect(await one.answer(1)).toHaveProperty('error.code', -32603);
    expect(await one.end()).toBe(0);
  });
});

describe('stdio in the modern era', () => {
  it('repeats the body in headers, in a form that headers can hold', async () => {
    const one = bridge();
    one.send({ id: 1, method: 'tools/call', params: { _meta: meta, name: 'เพิ่ม', arguments: {} } });
    await one.answer(1);
    expect(double.seen[0]?.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': `=?base64?${Buffer.from('เพิ่ม').toString('base64')}?=`,
    });
    expect(await one.end()).toBe(0);
  });

  it('learns parameter headers, also from a refusal', async () => {
    const one = bridge();
    const call = {
      method: 'tools/call',
      params: { _meta: meta, name: 'sum', arguments: { region: 'eu west' } },
    };
    one.send({ id: 1, ...call });
    expect(await one.answer(1)).toHaveProperty('result.echoed.name', 'sum');
    expect(double.seen.map(({ message }) => message?.['method'])).toEqual([
      'tools/call',
      'tools/list',
      'tools/call',
    ]);
    one.send({ id: 2, ...call });
    await one.answer(2);
    expect(double.seen.at(-1)?.headers['mcp-param-region']).toBe('eu west');
    expect(await one.end()).toBe(0);
  });

  it('cancels by closing the stream, and sends no answer then', async () => {
    const one = bridge();
    one.send({ id: 1, method: 'tools/call', params: { _meta: meta, name: 'slow', arguments: {} } });
    await eventually('the call', () => double.seen[0]);
    one.send({ method: 'notifications/cancelled', params: { requestId: 1, _meta: meta } });
    one.send({ id: 2, method: 'tools/list', params: { _meta: meta } });
    await one.answer(2);
    expect(await one.end()).toBe(0);
    expect(one.messages.map((message) => message['id'])).toEqual([2]);
  });
});

describe('stdio without an endpoint', () => {
  it('answers COORDINATOR_NOT_RUNNING and stays', async () => {
    const one = bridge('http://127.0.0.1:1', ['--wait-ms', '0']);
    one.send({ id: 1, method: 'initialize', params: {} });
    expect(await one.answer(1)).toHaveProperty('error.data.code', 'COORDINATOR_NOT_RUNNING');
    expect(await one.end()).toBe(0);
  });

  it('waits for one that is coming', async () => {
    const port = Number(new URL(double.url).port);
    await double[Symbol.asyncDispose]();
    const one = bridge(`http://127.0.0.1:${port}`);
    one.send({ id: 0, method: 'initialize', params: {} });
    double = await startMcpDouble(port);
    expect(await one.answer(0)).toHaveProperty('result.protocolVersion');
    expect(await one.end()).toBe(0);
  });

  it('survives what is no message', async () => {
    const one = bridge();
    one.send('{"broken');
    one.send('5');
    one.send('');
    await eventually('two errors', () => (one.messages.length >= 2 ? true : undefined));
    expect(one.messages.map((message) => (message['error'] as JsonObject)['code'])).toEqual([-32700, -32600]);
    expect(await one.end()).toBe(0);
  });
});
