/** The real coordinator as a child process, the way a person starts it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

export const mainPath = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface StartOptions {
  /** Built-in servers to start; 0 unless said. */
  readonly servers?: number;
  /** The `mcpServers` of the config file. */
  readonly mcpServers?: Readonly<Record<string, unknown>>;
  /** Other keys of the config file. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Kept after the stop; a temporary folder that goes away unless given. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What is started instead of `node src/cli/main.ts`. */
  readonly command?: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** A coordinator that answered `ready`. Disposing stops it and fails when it does not stop. */
export interface RunningCoordinator extends AsyncDisposable {
  /** The endpoint of all servers, `http://127.0.0.1:<port>/mcp`. */
  readonly url: string;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  readonly pid: number;
  readonly dataDir: string;
  /** Everything the ready line said. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly output: () => string;
  /** Single-server endpoint. */
  readonly serverUrl: (id: string) => string;
  /** Asks it to stop (SIGTERM; the REST API on Windows, which has no such signal) and resolves with its exit code. */
  readonly stop: () => Promise<number | null>;
  /** Kills it without notice. */
  readonly kill: () => Promise<void>;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

/** The first whole line of standard output that is a JSON object with a `url`. */
function readyLine(text: string): Record<string, unknown> | undefined {
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (!line.startsWith('{')) continue;
    const value = JSON.parse(line) as Record<string, unknown>;
    if (typeof value['url'] === 'string') return value;
  }
  return undefined;
}

/** Starts a coordinator on a free port and resolves when it printed its ready line. */
export async function startCoordinator(options: StartOptions = {}): Promise<RunningCoordinator> {
  const folder = await mkdtemp(join(tmpdir(), 'git-memory-e2e-'));
  const dataDir = options.dataDir ?? join(folder, 'data');
  const configPath = join(folder, 'config.yaml');
  // JSON is YAML.
  await writeFile(configPath, JSON.stringify({ mcpServers: options.mcpServers ?? {}, ...options.config }));
  const [command, ...prefix] = options.command ?? [process.execPath, mainPath];
  const args = [
    ...prefix,
    'start',
    '--servers',
    String(options.servers ?? 0),
    '--port',
    '0',
    '--data',
    dataDir,
  ];
  const child = spawn(command, [...args, '--config', configPath, '--json', ...(options.args ?? [])], {
    cwd: options.cwd ?? folder,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-200_000)));
  const output = (): string => `stdout:\n${stdout}\nstderr:\n${stderr}`;
  let spawnError: Error | undefined;
  child.once('error', (error) => (spawnError = error));

  const probe = (): Record<string, unknown> | undefined => {
    if (spawnError) throw spawnError;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the coordinator ended with ${child.exitCode ?? child.signalCode} before it was ready`);
    }
    return readyLine(stdout);
  };
  const ready = await eventually('the ready line', probe, options.timeoutMs ?? 40_000).catch(
    async (error: Error) => {
      child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
      throw new Error(`${error.message}\n${output()}`, { cause: error });
    },
  );
  const url = String(ready['url']);
  const origin = new URL(url).origin;

  const stop = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      if (process.platform === 'win32') await fetch(`${origin}/api/v1/shutdown`, { method: 'POST' });
      else child.kill('SIGTERM');
    }
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const code = await exitOf(child);
    clearTimeout(late);
    if (child.signalCode === 'SIGKILL') throw new Error(`the coordinator did not stop\n${output()}`);
    return code;
  };
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exitOf(child);
  };
  return {
    url,
    origin,
    pid: child.pid!,
    dataDir,
    ready,
    output,
    serverUrl: (id) => `${origin}/mcp/servers/${encodeURIComponent(id)}`,
    stop,
    kill,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Runs the command line to its end. */
export async function runCli(
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd?: string } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [mainPath, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(late);
  return { code, stdout, stderr };
}
