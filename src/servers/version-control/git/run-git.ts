/** Runs stock Git: no shell, clean environment, bounded in time and output, its process group ended on cancellation. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { AppError } from '../../../kernel/errors.ts';
import { ToolError } from '../../../kernel/define-server.ts';
import { endGroup } from './end-group.ts';
import { type EnvironmentOptions, gitEnvironment, safeOptions } from './git-environment.ts';

export interface RunOptions extends EnvironmentOptions {
  readonly cwd: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
  /** Output beyond it is dropped and the command ended; default 10 MB. */
  readonly maxBytes?: number;
  readonly input?: string;
  readonly runHooks?: boolean;
  /** Exit codes besides 0 that are an answer, not a failure. */
  readonly okCodes?: readonly number[];
  /** Gets standard error as it comes, for progress. */
  readonly onStderr?: (text: string) => void;
}

export interface GitAnswer {
  readonly stdout: Buffer;
  readonly text: string;
  /** Git's own words, without user names and passwords of URLs. */
  readonly stderr: string;
  readonly code: number;
  /** True when output was cut at `maxBytes`. */
  readonly truncated: boolean;
}

const defaultMaxBytes = 10_000_000;
const maxStderrCharacters = 4000;

/** User names and passwords inside URLs never reach an answer. */
function maskUrls(text: string): string {
  return text.replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1***@');
}

const progressLine = /^(Cloning into|remote: \w+ing |Receiving|Resolving|Updating files)/;

/** What Git said, without its progress lines. */
function wordsOf(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line !== '' && !progressLine.test(line));
  return maskUrls(lines.join('\n').trim());
}

interface Outcome {
  readonly chunks: Buffer[];
  readonly stderr: string;
  readonly code: number;
  readonly ended?: 'timeout' | 'cancelled' | 'full';
}

function follow(child: ChildProcess, options: RunOptions): Promise<Outcome> {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  const chunks: Buffer[] = [];
  let [bytes, stderr] = [0, ''];
  let ended: Outcome['ended'];
  const end = (why: Outcome['ended']): void => {
    if (ended !== undefined) return;
    ended = why;
    endGroup(child);
  };
  const onAbort = (): void => end('cancelled');
  const timer = setTimeout(() => end('timeout'), options.timeoutMs);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const settle = (): void => {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    if (bytes >= maxBytes) return;
    chunks.push(chunk.subarray(0, maxBytes - bytes));
    bytes += chunk.length;
    if (bytes > maxBytes) end('full');
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-maxStderrCharacters);
    options.onStderr?.(text);
  });
  // Git may leave before it has read its input; the exit code tells the story then.
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  child.once('error', (error) => {
    settle();
    reject(error);
  });
  child.once('close', (code) => {
    settle();
    resolve({ chunks, stderr, code: code ?? -1, ...(ended && { ended }) });
  });
  return promise;
}

function toStartError(error: unknown, cwd: string): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT')
    return new AppError('GIT_FAILED', { command: 'start', problem: code ?? 'unknown' }, { cause: error });
  return existsSync(cwd)
    ? new AppError('GIT_MISSING')
    : new ToolError('repository: its folder is gone; see git_list_repositories');
}

/**
 * Runs one Git command. Fails with ToolError (Git's own words, timeout), AppError GIT_MISSING, or
 * AppError REQUEST_CANCELLED once the process group was told to end.
 */
export async function runGit(args: readonly string[], options: RunOptions): Promise<GitAnswer> {
  if (options.signal?.aborted) throw new AppError('REQUEST_CANCELLED');
  const command = args.find((arg) => /^[a-z][a-z-]*$/.test(arg)) ?? 'command';
  const child = spawn('git', [...safeOptions(options.runHooks ?? false), '--no-pager', ...args], {
    cwd: options.cwd,
    env: gitEnvironment(options),
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: 'pipe',
  });
  const { chunks, stderr, code, ended } = await follow(child, options).catch((error: unknown) => {
    throw toStartError(error, options.cwd);
  });
  if (ended === 'cancelled') throw new AppError('REQUEST_CANCELLED');
  if (ended === 'timeout') {
    throw new ToolError(
      `git ${command} took longer than ${options.timeoutMs} ms and was ended; ask for less, or raise timeoutMs in the settings`,
    );
  }
  const words = wordsOf(stderr);
  if (ended === undefined && code !== 0 && options.okCodes?.includes(code) !== true) {
    throw new ToolError(`git ${command} failed (exit ${code}): ${words || 'no message'}`);
  }
  const stdout = Buffer.concat(chunks);
  return { stdout, text: stdout.toString('utf8'), stderr: words, code, truncated: ended === 'full' };
}
