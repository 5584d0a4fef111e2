/** A coordinator with limits: what is refused over MCP, REST and Git, and what callers are told. */

import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { git } from '../fixtures/git-server.ts';
import { createTempFolder } from '../fixtures/memory-in-temp.ts';
import { connectV2 } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

interface LimitsAnswer {
  readonly plan?: string;
  readonly items: readonly { rule: string; of: string; window: string; remaining: number }[];
}

const keyNames = ['calls', 'legacy', 'rest', 'git', 'places', 'admin', 'owner'] as const;
const keys = {} as Record<(typeof keyNames)[number], { id: string; key: string }>;

const limitsOf = (ids: Partial<Record<(typeof keyNames)[number], string>>) => ({
  rates: {
    small: {
      per: 'principal',
      of: (['calls', 'legacy', 'rest', 'git'] as const).map((name) => ids[name] ?? 'nobody'),
      perHour: 3,
    },
    places: { per: 'principal', of: [ids.places ?? 'nobody'], concurrency: 1 },
    search: { per: 'tool', of: ['*/memory_search'], perMonth: 2 },
  },
  failedKeys: { perMinute: 6, burst: 8 },
});

let coordinator: RunningCoordinator;
let configPath = '';

const request = (path: string, key: string, init: RequestInit = {}) =>
  fetch(`${coordinator.origin}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, ...(init.headers as Record<string, string>) },
  });
const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

function callTool(key: string, name: string, args: object = {}): Promise<Response> {
  const version = '2026-07-28';
  const meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return request('/mcp', key, {
    method: 'POST',
    headers: { ...json, 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': name },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: args, _meta: meta },
    }),
  });
}

const standing = async (key: string, query = ''): Promise<LimitsAnswer> =>
  (await (await request(`/api/v1/limits${query}`, key)).json()) as LimitsAnswer;

async function setLimits(limits: object): Promise<void> {
  const config = JSON.parse(await readFile(configPath, 'utf8')) as object;
  await writeFile(configPath, JSON.stringify({ ...config, limits }));
  const { code, stderr } = await runCli(['config', 'reload', '--data', coordinator.dataDir]);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
}

beforeAll(async () => {
  const config = { watchConfig: false, limits: limitsOf({}) };
  coordinator = await startCoordinator({ servers: 1, args: ['--auth', 'required'], config });
  for (const name of keyNames) {
    const role = name === 'admin' || name === 'owner' ? name : 'agent';
    const args = ['keys', 'create', '--name', name, '--role', role, '--data', coordinator.dataDir, '--json'];
    keys[name] = JSON.parse((await runCli(args)).stdout) as { id: string; key: string };
  }
  const status = (await (await request('/api/v1/status', keys.owner.key)).json()) as {
    config: { file: string };
  };
  configPath = status.config.file;
  // Rules that came with a reload.
  await setLimits(limitsOf(Object.fromEntries(keyNames.map((name) => [name, `key:${keys[name].id}`]))));
});

afterAll(async () => coordinator?.[Symbol.asyncDispose]());

const refusal = { rule: 'small', per: 'principal', window: 'hour', limit: 3, burst: 3, remaining: 0 };

function expectRefusal(answer: Response): void {
  expect(answer.status).toBe(429);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(1000);
  expect(answer.headers.get('ratelimit-policy')).toBe('"small-hour";q=3;w=3600');
  expect(answer.headers.get('ratelimit')).toMatch(/^"small-hour";r=0;t=\d{4}$/);
}

describe('a limit that is used up', () => {
  it('is told to modern clients with 429, headers, and the same facts in the error', async () => {
    for (let n = 0; n < 3; n += 1) expect((await callTool(keys.calls.key, 'memory_list')).status).toBe(200);
    const answer = await callTool(keys.calls.key, 'memory_list');
    expectRefusal(answer);
    expect(await answer.json()).toMatchObject({
      id: 1,
      error: { code: -32603, data: { code: 'RATE_LIMITED', ...refusal, retryAfterMs: expect.any(Number) } },
    });
    // Listing tools asks no server.
    const client = await connectV2(
      coordinator.url,
      'modern',
      {},
      { authorization: `Bearer ${keys.calls.key}` },
    );
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    await client.close();
  });

  it('is told to legacy clients, too, and their session lives on', async () => {
    const { key } = keys.legacy;
    const post = (body: object, session?: string) =>
      request('/mcp', key, {
        method: 'POST',
        headers: { ...json, ...(session !== undefined && { 'mcp-session-id': session }) },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
      });
    const clientInfo = { name: 't', version: '1' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const session = (await post({ method: 'initialize', params })).headers.get('mcp-session-id')!;
    const call = () =>
      post({ method: 'tools/call', params: { name: 'memory_list', arguments: {} } }, session);
    for (let n = 0; n < 3; n += 1) expect((await call()).status).toBe(200);
    const answer = await call();
    expectRefusal(answer);
    expect(await answer.json()).toMatchObject({ error: { data: { code: 'RATE_LIMITED', ...refusal } } });
    expect((await post({ method: 'ping' }, session)).status).toBe(200);
  });

  it('holds for REST, where each answer says what is left', async () => {
    const { key } = keys.rest;
    const left: (string | null)[] = [];
    for (let n = 0; n < 3; n += 1)
      left.push((await request('/api/v1/memory-stats', key)).headers.get('ratelimit'));
    expect(left.map((text) => text?.slice(0, 16))).toEqual([2, 1, 0].map((n) => `"small-hour";r=${n}`));
    const answer = await request('/api/v1/memory-stats', key);
    expectRefusal(answer);
    expect(await answer.json()).toMatchObject({ status: 429, code: 'RATE_LIMITED', data: refusal });
    const call = { method: 'POST', headers: json, body: JSON.stringify({ name: 'memory_list' }) };
    expectRefusal(await request('/api/v1/tools/call', key, call));
    expect(await standing(key)).toMatchObject({ items: [{ rule: 'small', remaining: 0 }] });
  });

  it('holds for Git', async () => {
    await using folder = await createTempFolder();
    const url = `http://key:${keys.git.key}@${new URL(coordinator.origin).host}/git/default.git`;
    const clone = async (to: string) => (await git(folder.path, 'clone', '--quiet', url, to)).code;
    expect(await clone('one')).toBe(0);
    expect(await clone('two')).not.toBe(0);
  });

  it('of a tool is counted over everybody', async () => {
    const search = (name: 'admin' | 'owner') => callTool(keys[name].key, 'memory_search', { query: 'x' });
    expect([(await search('admin')).status, (await search('owner')).status]).toEqual([200, 200]);
    const answer = await search('admin');
    expect(answer.status).toBe(429);
    expect(answer.headers.get('ratelimit-policy')).toBe('"search-month";q=2;w=2592000');
  });
});

it('gives a place back when its request is over', async () => {
  const { key } = keys.places;
  for (let n = 0; n < 3; n += 1) expect((await callTool(key, 'memory_list')).status).toBe(200);
  const leave = new AbortController();
  const stream = { headers: { accept: 'text/event-stream' }, signal: leave.signal };
  const open = await request('/api/v1/memory-changes', key, stream);
  expect(open.status).toBe(200);
  expect((await callTool(key, 'memory_list')).status).toBe(429);
  leave.abort();
  await eventually('the place', async () => (await callTool(key, 'memory_list')).status === 200 || undefined);
});

describe('limits show', () => {
  it('says how one stands, and to who may manage how others do', async () => {
    const of = `key:${keys.calls.id}`;
    const args = ['limits', 'show', '--principal', of, '--data', coordinator.dataDir];
    const shown = JSON.parse((await runCli([...args, '--json'])).stdout) as LimitsAnswer;
    expect(shown).toMatchObject({ principal: of, tenant: 'default', counting: 'here' });
    expect(shown.items).toMatchObject([{ rule: 'small', of, remaining: 0 }]);
    expect((await runCli(args)).stdout).toMatch(/^small\tprincipal\tkey:\w+\thour\t3\t0\t\d+ s$/m);
    expect((await standing(keys.admin.key, `?principal=${of}`)).items).toHaveLength(1);
    expect((await request(`/api/v1/limits?principal=${of}`, keys.git.key)).status).toBe(403);
    expect((await standing(keys.git.key)).items).toMatchObject([{ of: `key:${keys.git.id}` }]);
  });
});

it('is told in metrics', async () => {
  const all = await (await request('/metrics', keys.owner.key)).text();
  const text = all
    .split('\n')
    .filter((line) => line.includes('limited_total'))
    .join('\n');
  expect(text).toMatch(/^git_memory_mcp_limited_total\{per="principal",window="hour"\} [1-9]/m);
  expect(text).toMatch(/^git_memory_mcp_limited_total\{per="tool",window="month"\} 1$/m);
});

it('refuses a config with a plan that is not there, and goes on', async () => {
  const config = JSON.parse(await readFile(configPath, 'utf8')) as { limits: object };
  await writeFile(configPath, JSON.stringify({ ...config, limits: { ...config.limits, plan: 'gold' } }));
  const { code, stderr } = await runCli(['config', 'reload', '--data', coordinator.dataDir]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/limits\.plan.*must be a plan: community, /s);
  expect((await callTool(keys.calls.key, 'memory_list')).status).toBe(429);
  await writeFile(configPath, JSON.stringify(config));
});

it('listens to wrong keys so many times, and to who was right before all the same', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (key: string, by: Agent | undefined) => {
    const headers = { authorization: `Bearer ${key}` };
    const sent = get(`${coordinator.origin}/api/v1/status`, { agent: by ?? false, headers });
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await answer.resume().toArray();
    return answer.statusCode;
  };
  const { key } = keys.owner;
  expect(await ask(key, agent)).toBe(200);
  const answers: (number | undefined)[] = [];
  for (let n = 0; n < 12; n += 1) answers.push(await ask('wrong', undefined));
  expect(answers.slice(0, 8)).toEqual(Array(8).fill(401));
  expect(answers).toContain(429);
  expect(await ask(key, agent)).toBe(200);
  agent.destroy();
});

it('keeps a month over a kill', { timeout: 90_000 }, async () => {
  await using folder = await createTempFolder();
  const options = {
    servers: 1,
    dataDir: folder.path,
    config: { limits: { rates: { all: { per: 'all', perMonth: 5 } } } },
  };
  const countIn = async ({ origin }: RunningCoordinator) =>
    (await fetch(`${origin}/api/v1/memory-stats`)).status;
  const left = async ({ origin }: RunningCoordinator) =>
    ((await (await fetch(`${origin}/api/v1/limits`)).json()) as LimitsAnswer).items[0]!.remaining;
  const first = await startCoordinator(options);
  for (let n = 0; n < 3; n += 1) expect(await countIn(first)).toBe(200);
  // What has been written, each second, stays.
  await using store = await openStore(folder.path);
  const month = new Date().toISOString().slice(0, 7);
  await eventually('the counts to be written', async () => {
    const counts = [...(await store.monthlyUses.list('', month)).values()];
    return counts[0] === 3 || undefined;
  });
  await first.kill();
  await first[Symbol.asyncDispose]();
  await using second = await startCoordinator(options);
  expect(await left(second)).toBe(2);
});
