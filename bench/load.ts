/**
 * The load generator, a process of its own: `node load.ts '{"url", "tool", "args", "concurrency",
 * "warmupMs", "durationMs"}'`. Calls the tool in the modern era and prints one JSON line.
 */

import { Pool } from 'undici';

interface Load {
  readonly url: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly concurrency: number;
  readonly warmupMs: number;
  readonly durationMs: number;
}

const load = JSON.parse(process.argv[2]!) as Load;
const { origin, pathname } = new URL(load.url);
const pool = new Pool(origin, { connections: load.concurrency, pipelining: 1 });
const headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': load.tool,
};
const _meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const params = { name: load.tool, arguments: load.args, _meta };

let id = 0;
let errors = 0;
let firstError = '';

/** One call; a failed one is counted and does not end the run. */
async function call(): Promise<void> {
  id += 1;
  const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });
  const response = await pool.request({ path: pathname, method: 'POST', headers, body });
  const text = await response.body.text();
  if (response.statusCode !== 200 || !text.includes('"content"') || text.includes('"isError":true')) {
    errors += 1;
    firstError ||= `${response.statusCode} ${text.slice(0, 300)}`;
  }
}

async function run(forMs: number, latencies: number[]): Promise<number> {
  const start = performance.now();
  const end = start + forMs;
  const worker = async (): Promise<void> => {
    for (let now = performance.now(); now < end;) {
      await call();
      const done = performance.now();
      latencies.push(done - now);
      now = done;
    }
  };
  await Promise.all(Array.from({ length: load.concurrency }, worker));
  return (performance.now() - start) / 1000;
}

const round = (value: number): number => Math.round(value * 100) / 100;

await run(load.warmupMs, []);
errors = 0;
const latencies: number[] = [];
const seconds = await run(load.durationMs, latencies);
latencies.sort((a, b) => a - b);
const at = (share: number): number => round(latencies[Math.floor((latencies.length - 1) * share)] ?? 0);
const line = {
  callsPerSecond: Math.round(latencies.length / seconds),
  p50Ms: at(0.5),
  p99Ms: at(0.99),
  errors,
};
process.stdout.write(`${JSON.stringify(errors > 0 ? { ...line, firstError } : line)}\n`);
await pool.close();
