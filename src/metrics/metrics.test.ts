import { afterEach, describe, expect, it, vi } from 'vitest';
import { startEdge } from '../../test/fixtures/http-edge.ts';
import { createScriptedUpstream, type Script } from '../../test/fixtures/scripted-upstream.ts';
import { createFakeClock, systemClock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { RpcError } from '../kernel/json-rpc.ts';
import { type Logger, silentLogger } from '../kernel/log.ts';
import type { MemoryClient } from '../kernel/memory/operations.ts';
import type { FinishedCall } from '../kernel/observations.ts';
import { createMeters } from './create-meters.ts';
import { createMetrics } from './create-metrics.ts';
import { createHistogram, boundsSeconds } from './histogram.ts';
import { createIncidentLog } from './incident-log.ts';

const stats = {
  keys: 3,
  bytes: 30,
  commits: 2,
  head: null,
  journalPending: 4,
  textPending: 5,
  repositoryBytes: 6,
  scopes: [],
};
const memory = { call: async () => stats } as unknown as MemoryClient;

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

/** An edge with two instances of a server whose tool `t` does what its argument says. */
async function setUp() {
  const tool: Script = ({ arguments: args }) => {
    const { do: what } = args as { do: string };
    if (what === 'refuse') throw new RpcError({ code: -32000, message: 'no' });
    if (what === 'break') throw new AppError('UPSTREAM_FAILED', { server: 's', problem: 'it broke' });
    return { content: [], ...(what === 'fail' && { isError: true }) };
  };
  const tools = [{ name: 't', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }];
  const upstream = createScriptedUpstream('legacy', { 'tools/list': () => ({ tools }), 'tools/call': tool });
  const meters = createMeters({ logger: silentLogger, clock: systemClock });
  const calls: FinishedCall[] = [];
  const edge = await startEdge({ s: upstream }, 'custom', undefined, 0, {
    onCall: (call) => {
      calls.push(call);
      meters.calls.count(call);
    },
    onIncident: meters.incidents.note,
    metrics: () => metrics.scrape(),
  });
  open.push(edge);
  const { pool, gateway } = edge;
  meters.follow(pool);
  const hosts = { census: () => [{ connections: 3, utilization: 0.25 }] };
  const watched = meters.memory.watch(memory);
  const metrics = createMetrics({ pool, hosts, gateway, memory: watched, meters });
  const exchange = {
    era: 'modern' as const,
    peer: { key: 'k', capabilities: {} },
    requestId: 'r1',
    signal: new AbortController().signal,
    notify() {},
  };
  const call = (what: string) =>
    gateway
      .handle(gateway.mounts.view('all'), 'tools/call', { name: 's__t', arguments: { do: what } }, exchange)
      .catch(() => {});
  const scrape = async () => await (await fetch(`${edge.url}/metrics`)).text();
  return { edge, meters, call, calls, scrape, pool };
}

describe('/metrics', () => {
  it('counts calls by server, outcome and code, and what became of them', async () => {
    const { call, calls, scrape } = await setUp();
    for (const what of ['answer', 'answer', 'fail', 'refuse', 'break']) await call(what);
    const text = await scrape();
    const lines = text.split('\n').filter((line) => /^git_memory_mcp_(call|retries)/.test(line));
    expect(lines.filter((line) => !/_bucket|_sum/.test(line))).toEqual([
      'git_memory_mcp_call_duration_seconds_count{server="s",outcome="ok"} 2',
      'git_memory_mcp_call_duration_seconds_count{server="s",outcome="tool-error"} 1',
      'git_memory_mcp_call_duration_seconds_count{server="s",outcome="error"} 2',
      'git_memory_mcp_call_errors_total{server="s",code="RPC_ERROR"} 1',
      'git_memory_mcp_call_errors_total{server="s",code="UPSTREAM_FAILED"} 1',
      'git_memory_mcp_calls_in_flight 0',
      'git_memory_mcp_retries_total{server="s"} 1',
    ]);
    expect(lines).toContain(
      'git_memory_mcp_call_duration_seconds_bucket{server="s",outcome="ok",le="+Inf"} 2',
    );
    expect(calls.at(-1)).toMatchObject({ server: 's', name: 't', requestId: 'r1', tries: 2 });
  });

  it('tells the state of instances, circuits, the memory and the process', async () => {
    const { scrape } = await setUp();
    await scrape();
    const text = await scrape();
    for (const line of [
      'git_memory_mcp_instances{state="ready"} 1',
      'git_memory_mcp_breakers{state="closed"} 1',
      'git_memory_mcp_sessions 0',
      'git_memory_mcp_host_instances{host="0"} 3',
      'git_memory_mcp_host_utilization{host="0"} 0.25',
      'git_memory_mcp_memory_backlog_writes 4',
      'git_memory_mcp_memory_operation_duration_seconds_count{operation="stats",outcome="ok"} 2',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds \S+$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    // One help text and one type for each, and no line that is neither these nor a value.
    for (const line of text.split('\n'))
      expect(line).toMatch(/^$|^# (HELP|TYPE) \w+ .+|^\w+(\{.*\})? (\S+)$/);
  });

  it('forgets a server that has gone', async () => {
    const { call, scrape, pool } = await setUp();
    await call('break');
    expect(await scrape()).toContain('server="s"');
    await pool.remove('s');
    expect(await scrape()).not.toContain('server="s"');
  });
});

describe('a histogram', () => {
  it('puts each duration below the bounds that it does not exceed', () => {
    const histogram = createHistogram();
    for (const ms of [0, 1, 1.1, 5, 29_999, 1e9]) histogram.observe(ms);
    const cumulative = Object.fromEntries(histogram.cumulative().map((n, at) => [boundsSeconds[at], n]));
    expect(cumulative).toMatchObject({ 0.001: 2, 0.005: 4, 5: 4, 30: 5, Infinity: 6 });
    expect(histogram.count).toBe(6);
    expect(histogram.sumSeconds).toBeCloseTo(1_000_030.0061, 4);
  });
});

describe('the log of incidents', () => {
  it('has a line for each with the id of its call, and in a storm only the first ones of a second', () => {
    const clock = createFakeClock(1000);
    const warn = vi.fn<Logger['warn']>();
    const log = createIncidentLog({ logger: { ...silentLogger, warn }, clock });
    log.note({ kind: 'failover', server: 'a', call: 'r7', problem: 'it broke' });
    expect(warn.mock.calls).toEqual([
      [
        { incident: 'failover', server: 'a', call: 'r7', problem: 'it broke' },
        'a call goes to another instance',
      ],
    ]);
    for (let n = 0; n < 100; n += 1) log.note({ kind: 'failover', server: 'a' });
    log.note({ kind: 'restart', server: 'a' });
    expect(warn).toHaveBeenCalledTimes(11);
    clock.advance(1000);
    log.note({ kind: 'failover', server: 'b' });
    expect(warn.mock.lastCall?.[0]).toMatchObject({ server: 'b', unlogged: 91 });
    expect(log.counts.get('failover')).toEqual(
      new Map([
        ['a', 101],
        ['b', 1],
      ]),
    );
  });
});
