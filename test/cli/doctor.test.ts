import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeGit } from '../../src/cli/doctor/check-tools.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { startCoordinatorDouble } from './coordinator-double.ts';
import { createSandbox, type Sandbox } from './run-command.ts';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await createSandbox();
});

afterEach(() => sandbox[Symbol.asyncDispose]());

async function diagnose(args: string[] = [], env: Record<string, string> = {}) {
  const { code, stdout } = await sandbox.run(['doctor', '--json', ...args], { env });
  const { healthy, checks } = JSON.parse(stdout) as { healthy: boolean; checks: Finding[] };
  const find = (check: string) => checks.find((finding) => finding.check === check);
  return { code, healthy, checks, find };
}

async function listen(status: number): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

describe('doctor', () => {
  it('finds nothing wrong where nothing is', async () => {
    const { code, healthy, checks } = await diagnose(['--port', '0']);
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect([code, healthy]).toEqual([0, true]);
    expect(checks.map(({ check }) => check)).toEqual([
      'node',
      'git',
      'config',
      'data folder',
      'disk space',
      'coordinator',
      'store',
      'port 0',
    ]);
  });

  it('says who has the port, and that ours is fine', async () => {
    const { server, port } = await listen(404);
    const taken = await diagnose(['--port', String(port)]);
    server.close();
    expect([taken.code, taken.find(`port ${port}`)?.status]).toEqual([1, 'fail']);
    if (process.platform === 'linux')
      expect(taken.find(`port ${port}`)?.detail).toContain(`(process ${process.pid})`);
    await using double = await startCoordinatorDouble(join(sandbox.project, '.git-memory'));
    const ours = new URL(double.url).port;
    expect((await diagnose(['--port', ours])).find(`port ${ours}`)).toMatchObject({
      status: 'ok',
      detail: 'in use by the coordinator that runs',
    });
    expect((await diagnose(['--port', ours, '--data', 'other'])).find(`port ${ours}`)).toMatchObject({
      status: 'fail',
      detail: `in use by a coordinator with the data folder ${join(sandbox.project, '.git-memory')}`,
    });
  });

  it('checks each server: command, folder, URL, secrets', async () => {
    const { server, port } = await listen(405);
    const denied = await listen(401);
    const mcpServers = {
      node: { command: process.execPath },
      gone: { command: 'no-such-program-here' },
      folder: { command: process.execPath, cwd: 'nowhere' },
      up: { url: `http://127.0.0.1:${port}/mcp` },
      down: { url: 'http://u:hunter2@127.0.0.1:1/mcp?token=hunter2' },
      denied: { url: `http://127.0.0.1:${denied.port}` },
      secret: { command: 'x', env: { T: { env: 'NOT_SET_HERE' } } },
      off: { command: 'no-such-program-here', disabled: true },
    };
    await writeFile(join(sandbox.project, 'git-memory.config.json'), JSON.stringify({ port: 0, mcpServers }));
    const { code, checks, find } = await diagnose();
    server.close();
    denied.server.close();
    expect(code).toBe(1);
    expect(JSON.stringify(checks)).not.toContain('hunter2');
    const states = Object.keys(mcpServers).map((name) => [name, find(`server ${name}`)?.status]);
    expect(Object.fromEntries(states)).toEqual({
      node: 'ok',
      gone: 'fail',
      folder: 'fail',
      up: 'ok',
      down: 'fail',
      denied: 'warn',
      secret: 'fail',
      off: 'ok',
    });
    expect(find('server gone')).toMatchObject({ detail: 'no-such-program-here is not on PATH' });
    expect(find('server secret')?.detail).toContain('NOT_SET_HERE');
    expect(checks.every(({ status, fix }) => status === 'ok' || fix !== undefined)).toBe(true);
  });

  it('tells a broken config, a stray variable and a dead coordinator', async () => {
    await writeFile(join(sandbox.project, 'git-memory.config.yaml'), 'prot: 1\n');
    const broken = await diagnose([], { GIT_MEMORY_MCP_PROT: '1' });
    expect(broken.code).toBe(1);
    expect(broken.find('config')?.detail).toContain('line 1: unknown key "prot"; did you mean "port"?');
    expect(broken.find('variable GIT_MEMORY_MCP_PROT')).toMatchObject({
      status: 'warn',
      fix: 'did you mean GIT_MEMORY_MCP_PORT?',
    });
    await writeFile(join(sandbox.project, 'git-memory.config.yaml'), 'port: 0\n');
    await mkdir(join(sandbox.project, '.git-memory'));
    await writeFile(
      join(sandbox.project, '.git-memory', 'coordinator.json'),
      '{"url": "http://127.0.0.1:1", "pid": 1}',
    );
    expect((await diagnose()).find('coordinator')).toMatchObject({ status: 'warn' });
  });

  it('refuses a data folder that is a file', async () => {
    await writeFile(join(sandbox.project, 'file'), '');
    expect((await diagnose(['--port', '0', '--data', 'file'])).find('data folder')?.status).toBe('fail');
  });

  it('misses Git where there is none', async () => {
    const { code, find } = await diagnose(['--port', '0'], { PATH: sandbox.home });
    expect([code, find('git')?.status]).toEqual([1, 'fail']);
  });

  it.each([
    ['git version 2.39.5 (Apple Git-154)', 'ok'],
    ['git version 2.47.1.windows.1', 'ok'],
    ['git version 3.0', 'ok'],
    ['git version 2.37.9', 'fail'],
    ['git version 1.99', 'fail'],
    ['nonsense', 'fail'],
  ])('judges %s', (output, status) => {
    expect(judgeGit(output).status).toBe(status);
  });
});
