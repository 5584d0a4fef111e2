/** Servers that are dropped as files, found at other clients, and that register themselves. */

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ServerItem } from '../../src/contract/rest/server-routes.ts';
import { startHttpUpstream, upstreamPath } from '../fixtures/upstream-process.ts';
import { connectV2, textOf } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { mainPath, runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'discovery-e2e-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

const upstream = { command: process.execPath, args: [upstreamPath('upstream-v2'), 'stdio'] };

async function servers(coordinator: RunningCoordinator): Promise<ServerItem[]> {
  const response = await fetch(`${coordinator.origin}/api/v1/servers`);
  return ((await response.json()) as { items: ServerItem[] }).items;
}

const post = (coordinator: RunningCoordinator, path: string, body: unknown) =>
  fetch(`${coordinator.origin}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

it('serves what is dropped into a folder or found at a client, and never in place of the config', async () => {
  const [drop, project] = [join(dir, 'drop'), join(dir, 'project')];
  await mkdir(drop);
  await mkdir(join(project, '.vscode'), { recursive: true });
  await writeFile(join(drop, 'early.json'), JSON.stringify(upstream));
  await writeFile(join(drop, 'mine.json'), JSON.stringify({ command: 'evil' }));
  const file = join(project, '.vscode', 'mcp.json');
  await writeFile(file, JSON.stringify({ servers: { early: { command: 'evil' }, found: upstream } }));
  await using coordinator = await startCoordinator({
    config: { discovery: { folders: [drop], clients: [{ client: 'vscode', folder: project }] } },
    mcpServers: { mine: upstream },
  });
  const sources = (await servers(coordinator)).map(({ id, source, origin }) => [id, source, origin]);
  expect(sources).toEqual([
    ['mine', 'config', undefined],
    ['early', 'folder', join(drop, 'early.json')],
    ['found', 'client', file],
  ]);
  const client = await connectV2(coordinator.url, 'modern');
  expect(textOf(await client.callTool({ name: 'early__echo', arguments: { text: 'hi' } }))).toBe('hi');
  await client.close();

  await writeFile(join(drop, 'late.yaml'), JSON.stringify(upstream));
  await eventually('the late server', async () =>
    (await servers(coordinator)).find(({ id, state }) => id === 'late' && state === 'ready'),
  );
  // The one of the client takes the place that the stronger source has left.
  await rm(join(drop, 'early.json'));
  const next = await eventually('the other one', async () =>
    (await servers(coordinator)).find(({ id, source }) => id === 'early' && source === 'client'),
  );
  expect(next.origin).toBe(file);

  const env = { GIT_MEMORY_MCP_URL: coordinator.url };
  expect((await runCli(['servers', 'sources'], { env })).stdout).toMatch(/mine\tgave way to mine \(config\)/);
  const changes = (await runCli(['servers', 'history'], { env })).stdout;
  expect(changes).toMatch(/\tadded\tearly\tclient\t.*\tremoved\tearly\tfolder\t/s);
  const removal = await fetch(`${coordinator.origin}/api/v1/servers/late`, { method: 'DELETE' });
  expect(await removal.text()).toContain(join(drop, 'late.yaml'));
});

it('takes servers that register themselves for as long as they send heartbeats', async () => {
  await using fixture = await startHttpUpstream('upstream-v2');
  const allowHosts = [new URL(fixture.url).host];
  await using coordinator = await startCoordinator({
    config: { discovery: { registration: { enabled: true, allowHosts } } },
  });
  const body = { name: 'walkin', url: fixture.url, ttlSeconds: 60 };
  const { lease } = (await (await post(coordinator, '/registrations', body)).json()) as { lease: string };
  await eventually('the server', async () =>
    (await servers(coordinator)).find(({ state, source }) => state === 'ready' && source === 'registered'),
  );
  expect((await post(coordinator, '/registrations', body)).status).toBe(403);
  expect((await post(coordinator, '/registrations/walkin/heartbeat', { lease })).status).toBe(200);
  expect(
    (await post(coordinator, '/registrations', { ...body, name: 'x', url: 'http://127.0.0.1:1/' })).status,
  ).toBe(403);
  expect((await post(coordinator, '/registrations/walkin/end', { lease })).status).toBe(200);
  expect(await servers(coordinator)).toEqual([]);

  // The command line speaks for a server until it is stopped.
  const env = { ...process.env, GIT_MEMORY_MCP_URL: coordinator.url };
  const child = spawn(
    process.execPath,
    [mainPath, 'servers', 'register', 'spoken', fixture.url, '--ttl', '5'],
    {
      env,
      stdio: 'ignore',
    },
  );
  await eventually('the registration', async () =>
    (await servers(coordinator)).find(({ id }) => id === 'spoken'),
  );
  child.kill(process.platform === 'win32' ? 'SIGKILL' : 'SIGTERM');
  await eventually('its end', async () => ((await servers(coordinator)).length === 0 ? true : undefined));
});

it('refuses to reach the metadata service of a cloud for a server that is added', async () => {
  await using coordinator = await startCoordinator();
  await post(coordinator, '/servers', { name: 'meta', entry: { url: 'http://169.254.169.254/latest' } });
  const [item] = await servers(coordinator);
  expect(item?.reason).toContain('is not on the public internet');
});
