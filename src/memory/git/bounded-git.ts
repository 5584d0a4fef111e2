/** A git that is bounded in time and ended, with all that it started, when its caller goes away. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Git, toGitError } from './run-git.ts';

export interface Bounds {
  /** Longest time that it may run, milliseconds. */
  readonly timeoutMs: number;
  /** Ends it at once. */
  readonly signal: AbortSignal;
  /** Hears what it writes to standard error, as it comes. */
  readonly onErrorText?: (text: string) => void;
}

/** How a bounded git ended. */
export interface Ending {
  readonly code: number;
  /** The end of what it wrote to standard error. */
  readonly errors: string;
  /** Set when it was ended from outside. */
  readonly why?: 'timeout' | 'aborted';
}

export interface BoundedChild {
  readonly child: ChildProcessWithoutNullStreams;
  /** Settles when the process is gone and its output read. Throws GIT_MISSING, GIT_FAILED. */
  readonly ended: Promise<Ending>;
}

const keptErrorCharacters = 8000;
const killAfterMs = 2000;

/** Starts a git; a problem with starting it shows in `ended`. */
export function startBounded(git: Git, args: readonly string[], bounds: Bounds): BoundedChild {
  const { signal, timeoutMs, onErrorText } = bounds;
  const child = git.start(args, { ownGroup: true });
  let errors = '';
  let why: Ending['why'];
  const end = (reason: 'timeout' | 'aborted'): void => {
    if (why !== undefined) return;
    why = reason;
    endGroup(child);
  };
  const onAbort = (): void => end('aborted');
  const timer = setTimeout(() => end('timeout'), timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-keptErrorCharacters);
    onErrorText?.(text);
  });
  // Git may leave before it has read its input; its exit code tells the story then.
  child.stdin.on('error', () => {});
  child.stdout.on('error', () => {});
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', (error) => reject(toGitError(error, args)));
    child.once('close', (code) => resolve({ code: code ?? 255, errors, ...(why && { why }) }));
  }).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  });
  ended.catch(() => {});
  return { child, ended };
}

/** Runs a git to its end and returns its output with the ending; nothing is thrown for an exit code. */
export async function runBounded(
  git: Git,
  args: readonly string[],
  bounds: Bounds & { readonly input?: string },
): Promise<Ending & { readonly out: string }> {
  const { child, ended } = startBounded(git, args, bounds);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stdin.end(bounds.input ?? '');
  return { ...(await ended), out };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: all of it is gone, which is what we want.
  }
}

/** SIGTERM to the group, SIGKILL two seconds later; on Windows the tree is ended by force. */
function endGroup(child: ChildProcessWithoutNullStreams): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (process.platform === 'win32') {
    const program = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'taskkill.exe');
    const kill = spawn(program, ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    kill.on('error', () => child.kill());
    return;
  }
  signalGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), killAfterMs);
  child.once('close', () => clearTimeout(timer));
}
