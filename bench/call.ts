/**
 * What a tool call costs through the gateway, against the same upstream called directly and against a bare
 * reverse proxy in front of it, in one run. `node bench/call.ts [--seconds 1] [--servers 8]`; last line: one
 * JSON object. Each figure is the better of two rounds, so that a neighbour's burst does not decide. Take the ratios, not the absolutes: the load generator shares the machine.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCoordinator } from '../test/e2e/start-coordinator.ts';

interface Figures {
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
}

interface Target {
  readonly name: string;
  readonly url: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '1' }, servers: { type: 'string', default: '8' } },
});
const durationMs = Number(values.seconds) * 1000;
const concurrencies = [1, 16, 64];

function scriptOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Starts one of our scripts and resolves with the first line it prints. */
async function start(name: string, ...args: string[]) {
  const child = spawn(process.execPath, [scriptOf(name), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return {
    line: line.trim(),
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

async function measure(target: Target, concurrency: number): Promise<Figures> {
  const { url, tool, args } = target;
  const load = { url, tool, args, concurrency, warmupMs: 500, durationMs };
  using running = await start('load.ts', JSON.stringify(load));
  return JSON.parse(running.line) as Figures;
}

const echo = { tool: 'echo', args: { text: 'x'.repeat(200) } };
using upstream = await start('echo-server.ts', '--http');
using proxy = await start('reverse-proxy.ts', upstream.line);
await using coordinator = await startCoordinator({
  servers: Number(values.servers),
  mcpServers: {
    'echo-http': { url: upstream.line },
    'echo-stdio': { command: process.execPath, args: [scriptOf('echo-server.ts'), '--stdio'] },
  },
});
const targets: Target[] = [
  { name: 'direct', url: upstream.line, ...echo },
  { name: 'proxy', url: proxy.line, ...echo },
  { name: 'gateway http', url: coordinator.serverUrl('echo-http'), ...echo },
  { name: 'gateway stdio', url: coordinator.serverUrl('echo-stdio'), ...echo },
  ...(await inProcessTarget()),
];

/** A cheap tool of a built-in server: reading a memory that is not large. */
async function inProcessTarget(): Promise<Target[]> {
  const response = await fetch(`${coordinator.origin}/api/v1/servers?limit=1000`);
  const { items } = (await response.json()) as { items: { id: string; name: string }[] };
  const server = items.find((item) => item.name === 'git-memory-server');
  if (!server) return [];
  const args = { key: 'bench', value: 'x'.repeat(200) };
  const stored = await fetch(`${coordinator.origin}/api/v1/tools/call`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'memory_store', arguments: args }),
  });
  if (!stored.ok) throw new Error(await stored.text());
  return [
    {
      name: 'gateway in-process',
      url: coordinator.serverUrl(server.id),
      tool: 'memory_retrieve',
      args: { key: 'bench' },
    },
  ];
}

type Row = Record<string, Figures & { ofDirect?: number; ofProxy?: number }>;

const share = (part: Figures, whole: Figures): number =>
  Math.round((100 * part.callsPerSecond) / whole.callsPerSecond) / 100;

/** Every target in turn, twice. */
async function measureAll(concurrency: number): Promise<Row> {
  const best: Row = {};
  for (let round = 0; round < 2; round += 1) {
    for (const target of targets) {
      const figures = await measure(target, concurrency);
      const known = best[target.name];
      if (!known || figures.callsPerSecond > known.callsPerSecond) best[target.name] = figures;
    }
  }
  const { direct, proxy } = best;
  for (const [name, figures] of Object.entries(best)) {
    best[name] = { ...figures, ofDirect: share(figures, direct!), ofProxy: share(figures, proxy!) };
  }
  return best;
}

const results: Record<string, Row> = {};
for (const concurrency of concurrencies) {
  const row = await measureAll(concurrency);
  results[concurrency] = row;
  for (const [name, figures] of Object.entries(row)) {
    process.stdout.write(`${name} ×${concurrency}: ${JSON.stringify(figures)}\n`);
  }
}
process.stdout.write(`${JSON.stringify({ bench: 'call', concurrency: results })}\n`);
