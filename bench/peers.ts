/** Other Node gateways before the same stdio server. They are installed for the run, never in our dependencies. */

import { execFile, spawn } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { messageOf } from '../src/kernel/errors.ts';
import { freePort } from '../test/fixtures/free-port.ts';
import { createLoadClient } from './load-client.ts';
import type { Load } from './load.ts';
import type { Target } from './target.ts';

interface Peer {
  readonly name: string;
  readonly version: string;
  /** Entry below `node_modules/<name>`. */
  readonly entry: string;
  /** Arguments that put it before a stdio server, with one session shared by its client's calls. */
  readonly args: (port: number, command: readonly string[]) => string[];
}

const peers: readonly Peer[] = [
  {
    name: 'mcp-proxy',
    version: '6.7.19',
    entry: 'dist/bin/mcp-proxy.mjs',
    // Without its event store, which is the faster way.
    args: (port, command) =>
      `--port ${port} --host 127.0.0.1 --server stream --no-eventStore --`.split(' ').concat(command),
  },
  {
    name: 'supergateway',
    version: '4.0.0',
    entry: 'dist/index.js',
    // Without --stateful it starts a process for each call.
    args: (port, command) => [
      ...`--outputTransport streamableHttp --stateful --logLevel none --port ${port} --stdio`.split(' '),
      command.join(' '),
    ],
  },
];

/** Looked at and left out, each for a reason. */
export const leftOut = {
  'mcp-hub 4.2.1': 'not run: no sign of Streamable HTTP in its code',
  '@karashiiro/my-cool-proxy 1.6.2':
    'not run: by its description its clients write Lua instead of calling tools',
};

export interface RunningPeers extends Disposable {
  readonly targets: readonly Target[];
  /** Peers that could not be installed or started, with the reason. */
  readonly failed: Readonly<Record<string, string>>;
}

/** The npm that runs this, or the one on PATH. */
async function install(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  const packages = peers.map(({ name, version }) => `${name}@${version}`);
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages];
  const npm = process.env['npm_execpath'];
  const run = promisify(execFile);
  if (npm === undefined) await run('npm', args, { cwd: folder, timeout: 600_000 });
  else await run(process.execPath, [npm, ...args], { cwd: folder, timeout: 600_000 });
}

/** Resolves when a session could be opened and a tool called. */
async function whenReady(target: Target): Promise<void> {
  const load: Load = { ...target, era: 'legacy', connections: 1, durationMs: 0 };
  for (let attempt = 0; ; attempt += 1) {
    try {
      const client = await createLoadClient(load)();
      await client.call();
      client.close();
      return;
    } catch (error) {
      if (attempt >= 60) throw error;
      await delay(500);
    }
  }
}

/** Installs the peers into `folder`, unless they are there already, and starts each before `command`. */
export async function startPeers(folder: string, command: readonly string[]): Promise<RunningPeers> {
  const targets: Target[] = [];
  const failed: Record<string, string> = {};
  const stops: (() => void)[] = [];
  const isInstalled = await access(join(folder, 'node_modules')).then(
    () => true,
    () => false,
  );
  try {
    if (!isInstalled) await install(folder);
  } catch (error) {
    for (const { name, version } of peers) failed[`${name} ${version}`] = messageOf(error);
    return { targets, failed, [Symbol.dispose]() {} };
  }
  for (const { name, version, entry, args } of peers) {
    const port = await freePort();
    const child = spawn(
      process.execPath,
      [join(folder, 'node_modules', name, entry), ...args(port, command)],
      { stdio: 'ignore' },
    );
    stops.push(() => child.kill('SIGTERM'));
    const target = {
      name: `${name} ${version}`,
      url: `http://127.0.0.1:${port}/mcp`,
      tool: 'echo',
      pid: child.pid!,
    };
    try {
      await whenReady(target);
      targets.push(target);
    } catch (error) {
      failed[target.name] = messageOf(error);
    }
  }
  return {
    targets,
    failed,
    [Symbol.dispose]() {
      for (const stop of stops) stop();
    },
  };
}
