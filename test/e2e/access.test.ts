/** A coordinator that asks who is there: every way in, with and without a key. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { roles } from '../../src/kernel/roles.ts';
import { git } from '../fixtures/git-server.ts';
import { createTempFolder } from '../fixtures/memory-in-temp.ts';
import { connectStdio, connectV1, connectV2, textOf } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { mainPath, runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

let coordinator: RunningCoordinator;
const keys = new Map<string, { id: string; key: string }>();

async function makeKey(role: string, ...more: string[]): Promise<{ id: string; key: string }> {
  const args = ['keys', 'create', '--name', `for ${role}`, '--role', role];
  const { stdout } = await runCli([...args, ...more, '--data', coordinator.dataDir, '--json']);
  return JSON.parse(stdout) as { id: string; key: string };
}

/** What a command says when it fails. */
async function failure(...[args, options]: Parameters<typeof runCli>): Promise<string> {
  const { code, stderr } = await runCli(args, options);
  expect(code).not.toBe(0);
  return stderr;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const keyOf = (role: string) => keys.get(role)!.key;
const ask = (path: string, key?: string, init: RequestInit = {}) =>
  fetch(`${coordinator.origin}${path}`, {
    ...init,
    headers: { ...(key !== undefined && bearer(key)), ...(init.headers as Record<string, string>) },
  });
const listTools = (key?: string) =>
  ask('/mcp', key, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
    }),
  });

beforeAll(async () => {
  coordinator = await startCoordinator({ servers: 1, args: ['--auth', 'required'] });
  for (const role of roles) keys.set(role, await makeKey(role));
});

afterAll(async () => coordinator?.[Symbol.asyncDispose]());

describe('without a key', () => {
  it.each([
    ['/mcp', 'POST'],
    ['/mcp/servers/any', 'POST'],
    ['/mcp/servers/a%20b', 'POST'],
    ['/mcp?tools=search', 'GET'],
    ['/api/v1/status', 'GET'],
    ['/api/v1/memory-changes', 'GET'],
    ['/api/v1/servers/any/logs', 'GET'],
    ['/api/v1/shutdown', 'POST'],
    ['/metrics', 'GET'],
    ['/nowhere', 'GET'],
  ])('%s says how to get in, and nothing else', async (path, method) => {
    const answer = await ask(path, undefined, { method, headers: { accept: 'text/event-stream' } });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
    const challenge = answer.headers.get('www-authenticate')!;
    const pointer = /^Bearer resource_metadata="(.+)"$/.exec(challenge)![1]!;
    const metadata = await (await fetch(pointer)).json();
    const [mount] = path.split('?');
    const resource = path.startsWith('/mcp') ? `${coordinator.origin}${mount}` : coordinator.origin;
    expect(metadata).toMatchObject({ resource, bearer_methods_supported: ['header'] });
  });

  it('tells only whether it runs', async () => {
    expect((await ask('/healthz')).status).toBe(200);
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('refuses unknown, wrong and malformed keys in the same words', async () => {
    const { id, key } = keys.get('owner')!;
    const wrong = [
      `gmm_${id}_${'A'.repeat(43)}`,
      `gmm_${'0'.repeat(12)}_${key.slice(17)}`,
      'x',
      `${key}x`,
      'ก',
    ];
    const said = await Promise.all(
      [...wrong, ''].map(async (one) => {
        const answer = await ask('/api/v1/status', encodeURI(one));
        const { detail } = (await answer.json()) as { detail: string };
        return `${answer.status} ${detail}`;
      }),
    );
    expect(new Set(said.slice(0, -1)).size).toBe(1);
    for (const text of said) expect(text).toMatch(/^401 a valid key is needed/);
    const basic = await ask('/api/v1/status', undefined, { headers: { authorization: 'Digest x' } });
    expect(basic.status).toBe(401);
  });

  it('is not helped by a Host that is not ours', async () => {
    const answer = await ask('/api/v1/status', undefined, { headers: { origin: 'https://evil.test' } });
    expect(answer.status).toBe(403);
  });
});

describe('a role', () => {
  const attempts = {
    read: () => ['/api/v1/status', {}] as const,
    use: () => ['/api/v1/memory-stats', {}] as const,
    manage: () => ['/api/v1/servers/nobody/start', { method: 'POST' }] as const,
    own: () => ['/api/v1/shutdown', { method: 'PUT' }] as const,
  };
  it.each([
    ['owner', 'read use manage'],
    ['admin', 'read use manage'],
    ['operator', 'read manage'],
    ['developer', 'read use'],
    ['agent', 'use'],
    ['auditor', 'read'],
    ['viewer', 'read'],
  ])('%s may %s', async (role, allowed) => {
    for (const permission of ['read', 'use', 'manage'] as const) {
      const [path, init] = attempts[permission]();
      const { status } = await ask(path, keyOf(role), init);
      expect([permission, status === 403]).toEqual([permission, !allowed.split(' ').includes(permission)]);
    }
    const opened = await listTools(keyOf(role));
    expect(opened.status).toBe(allowed.includes('use') ? 200 : 403);
    if (role !== 'owner')
      expect((await ask('/api/v1/shutdown', keyOf(role), { method: 'POST' })).status).toBe(403);
  });

  it('holds for streams and metrics too', async () => {
    const stream = { headers: { accept: 'text/event-stream' } };
    expect((await ask('/api/v1/memory-changes', keyOf('viewer'), stream)).status).toBe(403);
    expect((await ask('/api/v1/servers/nobody/logs', keyOf('agent'), stream)).status).toBe(403);
    expect((await ask('/metrics', keyOf('agent'))).status).toBe(403);
    expect((await ask('/metrics', keyOf('viewer'))).status).toBe(200);
  });
});

it('counts who was refused', async () => {
  const text = await (await ask('/metrics', keyOf('viewer'))).text();
  expect(text).toMatch(/^git_memory_mcp_refused_requests_total\{code="UNAUTHENTICATED"\} [1-9]/m);
  expect(text).toMatch(/^git_memory_mcp_refused_requests_total\{code="FORBIDDEN"\} [1-9]/m);
});

describe('clients with a key', () => {
  it.each(['legacy', 'modern'] as const)('of the v2 SDK call tools in the %s era', async (era) => {
    const client = await connectV2(coordinator.url, era, {}, bearer(keyOf('agent')));
    const stored = await client.callTool({ name: 'memory_store', arguments: { key: era, value: 'mine' } });
    expect(stored.isError).not.toBe(true);
    await client.close();
    await expect(connectV2(coordinator.url, era)).rejects.toThrow();
  });

  it('of the v1 SDK list tools, and a session opens for nobody else', async () => {
    const client = await connectV1(coordinator.url, {}, bearer(keyOf('developer')));
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    await client.close();
    const session = (await listTools(keyOf('developer'))).headers.get('mcp-session-id')!;
    const ping = (key: string) =>
      ask('/mcp', key, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-session-id': session,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      });
    expect((await ping(keyOf('developer'))).status).toBe(200);
    expect((await ping(keyOf('agent'))).status).toBe(404);
  });

  it('over stdio need none where they can read the data folder', async () => {
    const args = [mainPath, 'stdio', '--data', coordinator.dataDir];
    const client = await connectStdio(process.execPath, args);
    const read = await client.callTool({ name: 'memory_list', arguments: {} });
    expect(textOf(read)).toContain('legacy');
    await client.close();
    if (process.platform !== 'win32')
      expect((await stat(join(coordinator.dataDir, 'coordinator.json'))).mode & 0o777).toBe(0o600);
  });

  it('that are stock Git send it as a password', async () => {
    await using folder = await createTempFolder();
    const { host } = new URL(coordinator.origin);
    const clone = (user: string) =>
      git(
        folder.path,
        '-c',
        'credential.helper=',
        'clone',
        '--quiet',
        `http://${user}${host}/git/default.git`,
        user === '' ? 'no' : 'yes',
      );
    expect((await clone(`key:${keyOf('agent')}@`)).code).toBe(0);
    expect((await clone('')).code).not.toBe(0);
    expect((await clone(`key:${keyOf('viewer')}@`)).code).not.toBe(0);
  });
});

describe('the command line', () => {
  it('gets in by the data folder, or by a key from the environment', async () => {
    const local = await runCli(['status', '--data', coordinator.dataDir, '--json']);
    expect(JSON.parse(local.stdout)).toMatchObject({ servers: { total: 1 } });
    const args = ['status', '--url', coordinator.origin, '--json'];
    expect(await failure(args)).toMatch(/a valid key is needed/);
    const env = { GIT_MEMORY_MCP_KEY: keyOf('viewer') };
    expect(JSON.parse((await runCli(args, { env })).stdout)).toMatchObject({ servers: { total: 1 } });
    const stop = ['stop', '--url', coordinator.origin];
    expect(await failure(stop, { env })).toMatch(/with the role viewer may not system:own/);
  });

  it('ends keys, and replaces them with an overlap, while the coordinator runs', async () => {
    const { id, key } = await makeKey('viewer');
    expect((await ask('/api/v1/status', key)).status).toBe(200);
    const on = ['--data', coordinator.dataDir, '--json'];
    const rotated = await runCli(['keys', 'rotate', id, '--overlap', '1h', ...on]);
    const next = JSON.parse(rotated.stdout) as { id: string; key: string };
    expect((await ask('/api/v1/status', next.key)).status).toBe(200);
    expect((await ask('/api/v1/status', key)).status).toBe(200);
    await runCli(['keys', 'revoke', id, ...on]);
    await eventually('the refusal', async () =>
      (await ask('/api/v1/status', key)).status === 401 ? true : undefined,
    );
    expect((await ask('/api/v1/status', next.key)).status).toBe(200);
    const { items } = JSON.parse((await runCli(['keys', 'list', ...on])).stdout) as {
      items: { id: string; state: string; role: string }[];
    };
    expect(items.find((item) => item.id === id)).toMatchObject({ state: 'revoked', role: 'viewer' });
    expect(items.find((item) => item.id === next.id)).toMatchObject({ state: 'valid', role: 'viewer' });
    expect(await failure(['keys', 'rotate', id, ...on])).toMatch(/is revoked/);
    expect(await failure(['keys', 'revoke', 'nobody', ...on])).toMatch(/key not found: nobody/);
    expect(
      await failure(['keys', 'create', '--name', 'x', '--role', 'agent', '--expires', 'soon', ...on]),
    ).toMatch(/90d, 12h or 30m/);
  });
});

it('writes no key down but the hashes', async () => {
  const files = (await readdir(coordinator.dataDir)).filter((name) => name.startsWith('state.sqlite'));
  const stored = await Promise.all(files.map((name) => readFile(join(coordinator.dataDir, name), 'latin1')));
  const text = [...stored, coordinator.output()].join('\n');
  for (const { id, key } of keys.values()) {
    expect(text).toContain(id);
    expect(text).not.toContain(key.slice(17));
  }
});

it('says how to make the first key when there is none', async () => {
  await using fresh = await startCoordinator({ args: ['--auth', 'required'] });
  expect(fresh.ready).toMatchObject({ lacksKeys: true });
  await using open = await startCoordinator();
  expect(open.ready).toMatchObject({ lacksKeys: false });
});
