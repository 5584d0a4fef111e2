import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatPorts, summarise } from '../../src/cli/start/summary.ts';
import { connectStdio } from '../e2e/connect-client.ts';
import { eventually } from '../e2e/eventually.ts';
import { server } from './coordinator-double.ts';
import { createSandbox, mainPath, type Sandbox } from './run-command.ts';

let sandbox: Sandbox;
const started: ChildProcess[] = [];

beforeEach(async () => {
  sandbox = await createSandbox();
});

afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await sandbox[Symbol.asyncDispose]();
});

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [mainPath, 'start', '--port', '0', ...args], {
    cwd: sandbox.project,
    env: sandbox.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ready = () =>
    eventually('ready', () => {
      if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${stderr}`);
      return /^ready .*\n/m.exec(stdout)?.[0] ?? /^\{.*\n/.exec(stdout)?.[0];
    });
  return { child, code, ready, stdout: () => stdout, stderr: () => stderr };
}

describe('start', () => {
  it('prints plain lines in a pipe, a table and the ready line, and drains on SIGTERM', async () => {
    const one = start(['--servers', '3']);
    expect(await one.ready()).toMatch(
      /^ready {2}http:\/\/127\.0\.0\.1:\d+\/mcp {2}3 servers {2}\d+\.\d s\n$/,
    );
    const lines = one.stdout().trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('starting '))).toEqual([
      'starting 1/3',
      'starting 2/3',
      'starting 3/3',
    ]);
    expect(lines).toContain('database\t1\t3104\t1 ready');
    expect(one.stdout()).not.toContain('\u001B');
    if (process.platform === 'win32') await sandbox.run(['stop']);
    else one.child.kill('SIGTERM');
    expect(await one.code).toBe(0);
    expect(one.stderr().trimEnd().split('\n').at(-1)).toBe('stopped');
  });

  it('prints one JSON line with --json, and ends when stop asks', async () => {
    const one = start(['--servers', '1', '--json']);
    const line = JSON.parse(await one.ready()) as Record<string, unknown>;
    expect(line).toMatchObject({ ready: true, servers: 1, up: 1, failures: [], pid: one.child.pid });
    expect(one.stdout().trimEnd().split('\n')).toHaveLength(1);
    const address = JSON.parse(
      await readFile(join(sandbox.project, '.git-memory', 'coordinator.json'), 'utf8'),
    ) as { url: string };
    expect(`${address.url}/mcp`).toBe(line['url']);
    const stopped = await sandbox.run(['stop', '--json']);
    expect(JSON.parse(stopped.stdout)).toEqual({ stopped: true, pid: one.child.pid });
    expect(await one.code).toBe(0);
    expect((await sandbox.run(['status'])).code).toBe(6);
  });

  it('goes on when nobody reads its output any more', async () => {
    const one = start(['--servers', '3']);
    await eventually('a line', () => (one.stdout().includes('starting ') ? true : undefined));
    one.child.stdout.destroy();
    one.child.stderr.destroy();
    const status = await eventually('an answer', async () => {
      const { code, stdout } = await sandbox.run(['status', '--json']);
      return code === 0 && /"ready":3/.test(stdout) ? stdout : undefined;
    });
    expect(JSON.parse(status)).toMatchObject({ pid: one.child.pid });
    expect((await sandbox.run(['stop'])).code).toBe(0);
    expect(await one.code).toBe(0);
  });

  it('says in words why it cannot use a data folder or a config', async () => {
    await writeFile(join(sandbox.project, 'file'), '');
    const blocked = await sandbox.run(['start', '--port', '0', '--data', 'file']);
    expect([blocked.code, blocked.stderr]).toEqual([
      10,
      expect.stringMatching(/^error STORAGE_FAILED: storage under .*file failed: E\w+: .*\n$/),
    ]);
    const config = join(sandbox.project, 'wrong.json');
    await writeFile(config, '{\n"prot": 1,\n"servers": -1\n}\n');
    const wrong = await sandbox.run(['start', '--config', 'wrong.json']);
    expect([wrong.code, wrong.stderr.split('\n')]).toEqual([
      3,
      [
        `error CONFIG_INVALID: ${config}: line 2: unknown key "prot"; did you mean "port"? (and 1 more)`,
        `  ${config}:2: unknown key "prot"; did you mean "port"?`,
        `  ${config}:3: servers: Too small: expected number to be >=0`,
        '',
      ],
    ]);
  });

  it('serves both eras through the stdio bridge', async () => {
    const one = start(['--servers', '1', '--json']);
    const { url } = JSON.parse(await one.ready()) as { url: string };
    for (const era of ['legacy', 'modern'] as const) {
      const client = await connectStdio(
        process.execPath,
        [mainPath, 'stdio', '--url', url],
        era,
        sandbox.env,
      );
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain('memory_store');
      const stored = await client.callTool({
        name: 'memory_store',
        arguments: { key: `era/${era}`, value: 'ทดสอบ' },
      });
      expect(stored.structuredContent).toMatchObject({ key: `era/${era}`, scope: 'shared' });
      await client.close();
    }
    expect((await sandbox.run(['memory', 'retrieve', 'era/modern'])).stdout).toBe('ทดสอบ');
  });

  it('refuses what cannot be, each with its exit code', async () => {
    const one = start(['--servers', '0', '--json']);
    await one.ready();
    expect(await sandbox.run(['start', '--port', '0'])).toMatchObject({ code: 7 });
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const taken = await sandbox.run(['start', '--servers', '0', '--port', String(port), '--data', 'other']);
    holder.close();
    expect([taken.code, taken.stderr]).toEqual([
      7,
      expect.stringContaining(`error PORT_IN_USE: port ${port}`),
    ]);
    expect(await sandbox.run(['start', '--host', '0.0.0.0', '--data', 'third'])).toMatchObject({ code: 5 });
    const wrong = await sandbox.run(['start', '--servers', '1001']);
    expect([wrong.code, wrong.stderr]).toEqual([
      3,
      expect.stringContaining('error CONFIG_INVALID: --servers: '),
    ]);
  });
});

describe('the table after a start', () => {
  it.each([
    [[], ''],
    [[3100], '3100'],
    [[3102, 3100, 3101, 3101, 3600], '3100-3102, 3600'],
  ])('shows ports %j as %s', (ports, text) => {
    expect(formatPorts(ports)).toBe(text);
  });

  it('counts states by category, in port order', () => {
    const rows = summarise([
      { ...server, category: 'system', port: 3400, state: 'unhealthy' },
      { ...server, port: 3101 },
      { ...server, port: 3100, state: 'unhealthy' },
    ]);
    expect(rows).toEqual([
      { category: 'database', instances: 2, ports: '3100-3101', health: '1 unhealthy, 1 ready' },
      { category: 'system', instances: 1, ports: '3400', health: '1 unhealthy' },
    ]);
  });
});
