import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../e2e/eventually.ts';
import { type RunningCoordinator, startCoordinator } from '../e2e/start-coordinator.ts';
import { createSandbox, mainPath, type Sandbox } from './run-command.ts';

/** Writes to standard error what it is called with, and answers the handshake. */
const script = `
  const hello = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } };
  const tools = [{ name: 'say', inputSchema: { type: 'object' } }];
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) return;
    if (method === 'tools/call') console.error(params.arguments.text);
    const result = method === 'initialize' ? hello : method === 'tools/list' ? { tools } : { content: [] };
    console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
  });
`;

let sandbox: Sandbox;
let coordinator: RunningCoordinator;

beforeAll(async () => {
  sandbox = await createSandbox();
  coordinator = await startCoordinator({
    mcpServers: { talker: { command: process.execPath, args: ['-e', script], era: 'legacy' } },
  });
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await sandbox?.[Symbol.asyncDispose]();
});

const post = (path: string, body: object = {}) =>
  fetch(`${coordinator.origin}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const say = (text: string) => post('/tools/call', { name: 'talker__say', arguments: { text } });

const logs = (...args: string[]) =>
  sandbox.run(['servers', 'logs', 'talker', '--url', coordinator.origin, ...args]);

interface Page {
  readonly lines: { readonly line: string; readonly position: string; readonly at: string }[];
  readonly next: string;
}

async function fetchLogs(query: string): Promise<Page> {
  const response = await fetch(`${coordinator.origin}/api/v1/servers/talker/logs${query}`);
  return (await response.json()) as Page;
}

function startFollow(args: readonly string[]) {
  const all = ['servers', 'logs', 'talker', '--follow', '--url', coordinator.origin, ...args];
  const child = spawn(process.execPath, [mainPath, ...all], {
    env: sandbox.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = () => stdout.split('\n').slice(0, -1);
  return {
    lines,
    async stop() {
      child.kill('SIGINT');
      return ended;
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

describe('servers logs', () => {
  it('shows the last lines, those behind a position, and those since a time', async () => {
    for (const text of ['one', 'two', 'three']) await say(text);
    const page = await eventually('the lines', async () => {
      const read = await fetchLogs('');
      return read.lines.length === 3 ? read : undefined;
    });
    const texts = async (query: string) => (await fetchLogs(query)).lines.map(({ line }) => line);
    expect(await texts('?tail=1')).toEqual(['three']);
    expect(await texts(`?since=${page.lines[0]!.position}`)).toEqual(['two', 'three']);
    expect(await texts(`?since=${page.lines[2]!.at}`)).toContain('three');
    expect(await texts('?since=2999-01-01')).toEqual([]);
    const shown = await logs('--json', '--since', page.lines[0]!.position);
    expect(JSON.parse(shown.stdout)).toMatchObject({ lines: [{ line: 'two' }, { line: 'three' }] });
    expect((await logs('--tail', '1')).stdout).toMatch(/^\S+\tthree\n$/);
    const bad = await logs('--since', 'yesterday or so');
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('ISO 8601')]);
  }, 60_000);

  it.skipIf(process.platform === 'win32')(
    'goes on with what is written, also after the server was restarted',
    async () => {
      using following = startFollow(['--tail', '1', '--json']);
      // The first line comes when the stream is open, whenever that is.
      await eventually('the stream', async () => {
        await say('first');
        return following.lines().length > 0 || undefined;
      });
      await post('/servers/talker/restart');
      await say('after the restart');
      const isThere = (line: string) => line.includes('after the restart') || undefined;
      await eventually('the last line', () => following.lines().find(isThere));
      expect(await following.stop()).toBe(0);
    },
    60_000,
  );
});

describe('the stream of a log', () => {
  async function* read(path: string, headers: Record<string, string> = {}): AsyncGenerator<string[]> {
    const response = await fetch(`${coordinator.origin}/api/v1/servers/${path}`, {
      headers: { accept: 'text/event-stream', ...headers },
    });
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) if (!block.startsWith(':')) yield block.split('\n');
    }
  }

  it('goes on behind Last-Event-ID, with nothing twice and nothing missed', async () => {
    await say('a');
    let last = '';
    for await (const [id, event, data] of read('talker/logs?tail=1')) {
      if (event === 'event: line') expect(data).toContain('"line":"a"');
      last = id!.slice('id: '.length);
      if (event === 'event: ready') break;
    }
    for (const text of ['b', 'c']) await say(text);
    const seen: string[] = [];
    for await (const [, event, data] of read('talker/logs', { 'last-event-id': last })) {
      if (event !== 'event: line') continue;
      seen.push((JSON.parse(data!.slice('data: '.length)) as { line: string }).line);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(['b', 'c']);
  });

  it('says when lines are lost, and refuses a server that is not there', async () => {
    for await (const [, event] of read('talker/logs?since=00000000-7')) {
      expect(event).toBe('event: reset');
      break;
    }
    const missing = await fetch(`${coordinator.origin}/api/v1/servers/nobody/logs`, {
      headers: { accept: 'text/event-stream' },
    });
    expect([missing.status, await missing.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
  });
});
