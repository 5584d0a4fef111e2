/** Runs the command line as a person does: a real process, its own home folder, nothing of this machine's settings. */

import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const mainPath = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** A temporary home and project folder. */
export interface Sandbox extends AsyncDisposable {
  readonly home: string;
  readonly project: string;
  /** Folder of client settings in it: `~/.config`, `%APPDATA%` or `~/Library/Application Support`. */
  readonly settings: string;
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** Only what Node and Git need; GIT_MEMORY_MCP_… and CI of the caller stay out. */
function cleanEnv(home: string): Record<string, string> {
  const kept = ['SystemRoot', 'SYSTEMROOT', 'TEMP', 'TMP', 'TMPDIR', 'PATHEXT'];
  return {
    ...Object.fromEntries(
      kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`,
    HOME: home,
    USERPROFILE: home,
    APPDATA: join(home, 'AppData', 'Roaming'),
    XDG_CONFIG_HOME: join(home, '.config'),
  };
}

export async function createSandbox(): Promise<Sandbox> {
  const root = await mkdtemp(join(tmpdir(), 'git-memory-cli-'));
  const home = join(root, 'home');
  const project = join(root, 'project');
  await mkdir(home);
  await mkdir(project);
  const env = cleanEnv(home);
  const settings = { win32: env['APPDATA']!, darwin: join(home, 'Library', 'Application Support') };
  return {
    home,
    project,
    settings: settings[process.platform as 'win32' | 'darwin'] ?? join(home, '.config'),
    env,
    async run(args, options = {}) {
      const child = spawn(process.execPath, [mainPath, ...args], {
        cwd: project,
        env: { ...env, ...options.env },
        stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      });
      let stdout = '';
      let stderr = '';
      child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      child.stdin?.end(options.input);
      const late = setTimeout(() => child.kill('SIGKILL'), 25_000);
      const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
      clearTimeout(late);
      return { code, stdout, stderr };
    },
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
