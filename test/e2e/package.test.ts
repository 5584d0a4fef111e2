import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectV2 } from './connect-client.ts';
import { descendantsOf, whenGone } from './processes.ts';
import { startCoordinator } from './start-coordinator.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'git-memory-package-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** npm of the Node that runs this test, without a shell (npm on Windows is a .cmd file). */
function npm(cwd: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const options = {
    cwd,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, npm_config_update_notifier: 'false' },
  };
  const cli = process.env['npm_execpath'];
  if (cli?.endsWith('.js')) return run(process.execPath, [cli, ...args], options);
  const bundled = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
  return process.platform === 'win32'
    ? run(process.execPath, [bundled, ...args], options)
    : run('npm', args, options);
}

it('is packed, installed into an empty folder and runs there', async ({ skip }) => {
  await npm(root, 'pack', '--silent', '--pack-destination', folder);
  const [archive] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  const home = join(folder, 'home');
  await mkdir(home);
  await writeFile(join(home, 'package.json'), '{"name":"somewhere","private":true}');
  try {
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=1'];
    await npm(home, 'install', ...flags, join(folder, archive!));
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    const isOffline = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENOTCACHED|network/i.test(stderr ?? '');
    if (isOffline && !process.env['CI']) skip(`the registry is not reachable: ${stderr}`);
    throw error;
  }
  const installed = join(home, 'node_modules');
  const command: [string, ...string[]] =
    process.platform === 'win32'
      ? [process.execPath, join(installed, 'git-memory-mcp-server', 'dist', 'cli', 'main.js')]
      : [join(installed, '.bin', 'git-memory-mcp')];
  // `#!/usr/bin/env node` must find the Node that runs this test.
  const env = { PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` };
  await using coordinator = await startCoordinator({ servers: 8, command, cwd: home, env });
  const client = await connectV2(coordinator.url, 'auto');
  const stored = await client.callTool({ name: 'memory_store', arguments: { key: 'packed', value: true } });
  expect(stored).toMatchObject({ structuredContent: { key: 'packed', scope: 'shared' } });
  await client.close();
  const children = await descendantsOf(coordinator.pid);
  expect(await coordinator.stop()).toBe(0);
  await whenGone(children);
}, 180_000);
