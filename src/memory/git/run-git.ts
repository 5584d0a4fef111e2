/** Stock Git as a child process: no shell, none of the user's settings or hooks, bytes in and out. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { AppError } from '../../kernel/errors.ts';

/** Git on one bare repository. */
export interface Git {
  readonly repositoryDir: string;
  /** Output of a finished git; GIT_FAILED when it ends with another exit code than 0. */
  run(args: readonly string[], input?: string | Uint8Array): Promise<Buffer>;
  /** Exit code of a finished git, for commands that answer by it; 128 and more is GIT_FAILED. */
  exitCode(args: readonly string[]): Promise<number>;
  /**
   * A git that stays open; the caller reads, writes and ends it. With `ownGroup` it leads a process group
   * (not on Windows), so that it can be ended together with what it starts.
   */
  start(args: readonly string[], options?: { readonly ownGroup?: boolean }): ChildProcessWithoutNullStreams;
}

const nullDevice = process.platform === 'win32' ? 'NUL' : '/dev/null';
const maxOutputBytes = 256 * 1024 * 1024;

/** The environment without anything that steers Git from outside. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^GIT_/i.test(name));
  return {
    ...Object.fromEntries(inherited),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: nullDevice,
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    LC_ALL: 'C',
  };
}

/**
 * Git on the bare repository at `repositoryDir`, with `environment` on top of the clean one; throws
 * GIT_MISSING when there is no git to start.
 */
export function createGit(repositoryDir: string, environment: Readonly<Record<string, string>> = {}): Git {
  const start: Git['start'] = (args, { ownGroup = false } = {}) =>
    spawn('git', [`--git-dir=${repositoryDir}`, '-c', `core.hooksPath=${nullDevice}`, ...args], {
      env: { ...cleanEnvironment(), ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
      detached: ownGroup && process.platform !== 'win32',
    });

  async function finish(args: readonly string[], input?: string | Uint8Array) {
    const child = start(args);
    const out: Buffer[] = [];
    let outBytes = 0;
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out.push(chunk);
      outBytes += chunk.length;
      if (outBytes > maxOutputBytes) child.kill();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2000);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) => reject(toGitError(error, args)));
      child.on('close', (exit) => resolve(exit ?? 255));
    });
    return { code, out: Buffer.concat(out), errors };
  }

  return {
    repositoryDir,
    start,
    async run(args, input) {
      const { code, out, errors } = await finish(args, input);
      if (code !== 0) throw gitFailed(args, errors, code);
      return out;
    },
    async exitCode(args) {
      const { code, errors } = await finish(args);
      if (code >= 128) throw gitFailed(args, errors, code);
      return code;
    },
  };
}

function gitFailed(args: readonly string[], errors: string, code: number): AppError {
  return new AppError('GIT_FAILED', { command: args[0], problem: errors.trim() || `exit code ${code}` });
}

/** GIT_MISSING when the program is not there, else GIT_FAILED. */
export function toGitError(error: NodeJS.ErrnoException, args: readonly string[]): AppError {
  if (error.code === 'ENOENT') return new AppError('GIT_MISSING', {}, { cause: error });
  return new AppError('GIT_FAILED', { command: args[0], problem: error.message }, { cause: error });
}
