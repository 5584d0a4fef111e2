/**
 * What the gateway costs: against a bare reverse proxy before the same HTTP server, against other gateways before
 * the same stdio server, with more and more servers registered, and over many calls. All guards are on.
 *
 * `node bench/gateway.ts [--seconds 2] [--rounds 5] [--calls 100000] [--full] [--only http,latency,tls,stdio,servers,memory]
 * [--peers FOLDER]`. Targets are loaded by turns and ratios taken within a round, so that a busy machine hurts all
 * alike: take the ratios, not the absolutes. Last line: one JSON object.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCertificate } from '../test/fixtures/certificates.ts';
import { startCoordinator, type RunningCoordinator } from '../test/e2e/start-coordinator.ts';
import type { Load } from './load.ts';
import { leftOut, startPeers } from './peers.ts';
import {
  type Figures,
  measureByTurns,
  median,
  ratio,
  round2,
  scriptOf,
  startScript,
  summarize,
  type Target,
} from './target.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    calls: { type: 'string', default: '100000' },
    full: { type: 'boolean', default: false },
    only: { type: 'string', default: 'http,latency,tls,stdio,servers,memory' },
    peers: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const durationMs = Number(values.seconds) * 1000;
const parts = new Set(values.only.split(','));
const connections = 32;
const eras = ['modern', 'legacy'] as const;
type Era = (typeof eras)[number];
type Section = Record<string, unknown>;

const echoArgs = (era: Era) => (era === 'legacy' ? ['--legacy'] : []);

function stdioCommand(era: Era): string[] {
  return [process.execPath, scriptOf('echo-server.ts'), '--stdio', ...echoArgs(era)];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function echoOf(coordinator: RunningCoordinator, name: string, id = 'echo'): Target {
  return { name, url: coordinator.serverUrl(id), tool: 'echo', pid: coordinator.pid };
}

/** Medians of each target beside its share of the baseline's throughput and its CPU time against it. */
function table(all: ReadonlyMap<string, Figures[]>, baseline: string): Section {
  const rows: Section = {};
  for (const [name, figures] of all) {
    const whole = all.get(baseline)!;
    const row = {
      ...summarize(figures),
      [`of ${baseline}`]: ratio(figures, whole),
      // A busy machine disturbs this one least.
      [`CPU of ${baseline}`]: ratio(figures, whole, ({ cpuMicros }) => cpuMicros ?? Number.NaN),
    };
    rows[name] = row;
    say(`  ${name}: ${JSON.stringify(row)}`);
  }
  return rows;
}

/** A client and a server of one era, with the bare proxy and with the gateway between them. */
async function againstProxy(
  era: Era,
  run: (targets: readonly Target[]) => Promise<Section>,
): Promise<Section> {
  using upstream = await startScript('echo-server.ts', '--http', ...echoArgs(era));
  using proxy = await startScript('reverse-proxy.ts', upstream.line);
  await using coordinator = await startCoordinator({ mcpServers: { echo: { url: upstream.line } } });
  return await run([
    { name: 'direct', url: upstream.line, tool: 'echo', pid: upstream.pid },
    { name: 'proxy', url: proxy.line, tool: 'echo', pid: proxy.pid },
    echoOf(coordinator, 'gateway, one server'),
    { name: 'gateway, all servers', url: coordinator.url, tool: 'echo__echo', pid: coordinator.pid },
  ]);
}

async function http(era: Era): Promise<Section> {
  say(`HTTP server, ${era} era: calls/s`);
  return await againstProxy(era, async (targets) =>
    table(await measureByTurns(targets, { era, connections, durationMs }, rounds), 'proxy'),
  );
}

/** What each adds to the time of a call at 500 calls a second, counted from when the call was due. */
async function latency(era: Era): Promise<Section> {
  say(`HTTP server, ${era} era: 500 calls/s, milliseconds from when a call was due`);
  return await againstProxy(era, async (targets) => {
    const load = { era, connections: 64, durationMs: durationMs * 2, perSecond: 500 };
    const all = await measureByTurns(targets, load, rounds);
    const rows = table(all, 'direct');
    const added = (name: string) =>
      round2(median(all.get(name)!.map((figures, i) => figures.p95Ms - all.get('direct')![i]!.p95Ms)));
    const addedP95Ms = Object.fromEntries(targets.slice(1).map(({ name }) => [name, added(name)]));
    say(`  added p95: ${JSON.stringify(addedP95Ms)}`);
    return { ...rows, addedP95Ms };
  });
}

/** One coordinator in the clear and one with TLS, connections kept open, before the same server. */
async function tls(): Promise<Section> {
  say('TLS, modern era: calls/s');
  const folder = await mkdtemp(join(tmpdir(), 'gateway-tls-'));
  try {
    const { cert, key } = await makeCertificate(folder, { name: 'bench' });
    using upstream = await startScript('echo-server.ts', '--http');
    const mcpServers = { echo: { url: upstream.line } };
    await using plain = await startCoordinator({ mcpServers });
    await using secure = await startCoordinator({ mcpServers, args: ['--tls-cert', cert, '--tls-key', key] });
    const targets = [echoOf(plain, 'plain'), echoOf(secure, 'TLS')];
    return table(await measureByTurns(targets, { era: 'modern', connections, durationMs }, rounds), 'plain');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function stdio(): Promise<Section> {
  say('stdio server, legacy era: calls/s');
  const folder = values.peers ?? (await mkdtemp(join(tmpdir(), 'gateway-peers-')));
  try {
    const command = stdioCommand('legacy');
    using peers = await startPeers(folder, command);
    const [program, ...args] = command;
    await using coordinator = await startCoordinator({ mcpServers: { echo: { command: program, args } } });
    const targets = [echoOf(coordinator, 'gateway'), ...peers.targets];
    const all = await measureByTurns(targets, { era: 'legacy', connections, durationMs }, rounds);
    const rows = table(all, 'gateway');
    const timesPeer = Object.fromEntries(
      peers.targets.map(({ name }) => [name, ratio(all.get('gateway')!, all.get(name)!)]),
    );
    say(`  times the peer: ${JSON.stringify(timesPeer)}; failed: ${JSON.stringify(peers.failed)}`);
    return { ...rows, timesPeer, failed: peers.failed, leftOut };
  } finally {
    if (values.peers === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The same call at `/mcp` with 10, 100 and 1,000 built-in servers beside it. */
async function servers(): Promise<Section> {
  say('calls/s at /mcp with so many built-in servers');
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startScript('echo-server.ts', '--http'));
  const targets: Target[] = [];
  for (const count of [10, 100, 1000]) {
    const coordinator = stack.use(
      await startCoordinator({
        servers: count,
        mcpServers: { echo: { url: upstream.line } },
        timeoutMs: 300_000,
      }),
    );
    targets.push({ name: `${count}`, url: coordinator.url, tool: 'echo__echo', pid: coordinator.pid });
  }
  const all = await measureByTurns(targets, { era: 'modern', connections, durationMs }, rounds);
  return table(all, '10');
}

async function rssMiB({ origin }: RunningCoordinator): Promise<number> {
  const response = await fetch(`${origin}/api/v1/status`);
  const { rssBytes } = (await response.json()) as { rssBytes: number };
  return Math.round(rssBytes / 1024 / 1024);
}

/** Resident memory after each tenth of the calls; the slope is that of the last half. */
async function memory(): Promise<Section> {
  const calls = values.full ? 1_000_000 : Number(values.calls);
  say(`resident memory over ${calls} calls, half of each era`);
  using upstream = await startScript('echo-server.ts', '--http');
  await using coordinator = await startCoordinator({ mcpServers: { echo: { url: upstream.line } } });
  const samples = [await rssMiB(coordinator)];
  let done = 0;
  while (done < calls) {
    const era = eras[samples.length % 2]!;
    const load: Load = {
      ...echoOf(coordinator, 'gateway'),
      era,
      connections,
      durationMs: 600_000,
      maxCalls: Math.ceil(calls / 10),
    };
    using running = await startScript('load.ts', JSON.stringify(load));
    done += (JSON.parse(running.line) as Figures).calls;
    samples.push(await rssMiB(coordinator));
  }
  const half = samples.slice(Math.floor(samples.length / 2));
  const growthMiB = half.at(-1)! - half[0]!;
  const row = { calls: done, rssMiB: samples, growthOfLastHalfMiB: growthMiB };
  say(`  ${JSON.stringify(row)}`);
  return row;
}

const result: Section = { bench: 'gateway', cores: availableParallelism() };
if (parts.has('http')) for (const era of eras) result[`http ${era}`] = await http(era);
if (parts.has('latency')) for (const era of eras) result[`latency ${era}`] = await latency(era);
if (parts.has('tls')) result['tls'] = await tls();
if (parts.has('stdio')) result['stdio'] = await stdio();
if (parts.has('servers')) result['servers'] = await servers();
if (parts.has('memory')) result['memory'] = await memory();
say(JSON.stringify(result));
