/** A coordinator with many lazy servers of three kinds, and a call to any of them that proves which one answered. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningCoordinator, startCoordinator } from '../e2e/start-coordinator.ts';
import { startManyUpstreams } from '../fixtures/many-upstreams.ts';
import { upstreamPath } from '../fixtures/upstream-process.ts';

export interface RegisteredServers extends AsyncDisposable {
  readonly coordinator: RunningCoordinator;
  /** From the start of the process to its ready line, seconds. */
  readonly seconds: number;
  /** Id of the `n`th server. */
  readonly idOf: (n: number) => string;
  /** Calls a tool of the `n`th at its own endpoint; throws unless that server answered. */
  readonly call: (n: number) => Promise<void>;
}

/** Every hundredth is a child process, and of the rest every second one a built-in server. */
function kindOf(n: number): 'http' | 'built-in' | 'stdio' {
  if (n % 100 === 99) return 'stdio';
  return n % 2 === 0 ? 'http' : 'built-in';
}

const calls = {
  http: { name: 'whoami', arguments: {} },
  'built-in': { name: 'thinking_templates', arguments: {} },
  stdio: { name: 'echo', arguments: { text: 'here' } },
} as const;

/** Registers `count` servers in a config file and starts a coordinator with it. */
export async function startRegistered(count: number): Promise<RegisteredServers> {
  await using parts = new AsyncDisposableStack();
  const upstreams = parts.use(await startManyUpstreams());
  const folder = await mkdtemp(join(tmpdir(), 'git-memory-many-'));
  parts.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const idOf = (n: number): string => `s${n}`;
  const entryOf = (n: number): object => {
    const common = { lazy: true, idleMs: 60_000, tags: [kindOf(n)] };
    if (kindOf(n) === 'http') return { ...common, url: `${upstreams.url}/${idOf(n)}`, era: 'modern' };
    if (kindOf(n) === 'built-in') return { ...common, builtin: '3d-sco-thinking' };
    return { ...common, command: process.execPath, args: [upstreamPath('upstream-v1'), 'stdio'] };
  };
  const mcpServers = Object.fromEntries(Array.from({ length: count }, (_, n) => [idOf(n), entryOf(n)]));
  const before = performance.now();
  const coordinator = parts.use(
    await startCoordinator({ mcpServers, dataDir: join(folder, 'data'), timeoutMs: 300_000 }),
  );
  const seconds = (performance.now() - before) / 1000;

  async function call(n: number): Promise<void> {
    const expected = { http: `/${idOf(n)}`, 'built-in': 'template', stdio: 'here' }[kindOf(n)];
    const method = 'tools/call';
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'registered', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const wanted = calls[kindOf(n)];
    const response = await fetch(coordinator.serverUrl(idOf(n)), {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'MCP-Protocol-Version': '2026-07-28',
        'Mcp-Method': method,
        'Mcp-Name': wanted.name,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: n, method, params: { ...wanted, _meta: meta } }),
    });
    const text = await response.text();
    const { result } = JSON.parse(text) as { result?: { isError?: boolean; content?: { text?: string }[] } };
    const isAnswer = result?.isError !== true && result?.content?.[0]?.text?.includes(expected);
    if (isAnswer !== true) throw new Error(`${idOf(n)} (${kindOf(n)}) answered ${text.slice(0, 300)}`);
  }

  const owned = parts.move();
  return { coordinator, seconds, idOf, call, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
