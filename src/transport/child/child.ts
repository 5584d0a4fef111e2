/** A child process that leads its own group, as a stream of lines in both directions. */

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { ProcessLimits } from '../../kernel/process-limits.ts';
import type { ProcessLedger } from '../process-ledger.ts';
import { childMarker } from '../process-ledger.ts';
import { childEnvironment } from './child-environment.ts';
import { withOpenFileLimit } from './open-file-limit.ts';
import { createLineReader } from './line-reader.ts';
import { endProcessGroup } from './process-group.ts';
import type { ProcessWatch } from './process-watch.ts';
import { resolveCommand } from './resolve-command.ts';

export interface ChildSpec {
  readonly server: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly limits?: ProcessLimits;
}

export interface ChildOptions {
  readonly maxLineBytes: number;
  readonly ledger?: ProcessLedger | undefined;
  /** Holds it to its limits. */
  readonly processWatch?: ProcessWatch | undefined;
}

export interface ChildEvents {
  onLine(line: string): void;
  onErrorLine(line: string): void;
  /** The child is gone, or its output ended; told once, also when it was us who ended it. */
  onEnd(problem: string, isOverLimit: boolean): void;
}

export interface Child {
  readonly pid: number;
  /** Writes one line; `onWritten` runs when the pipe took it. */
  write(line: string): void;
  /** False while the pipe is full; `onDrain` of `whenWritable` tells when to go on. */
  readonly isWritable: boolean;
  whenWritable(task: () => void): void;
  /** Closes stdin, then ends the whole group; resolves when it is empty. Idempotent. */
  end(): Promise<void>;
}

/** At most 5 seconds in all: 1 to leave by itself, 2 after SIGTERM, up to 2 after SIGKILL. */
const endTimes = { graceMs: 1000, termMs: 2000 };
/** Output that a dead child left in the pipe is read for so long; a grandchild may hold the pipe open for ever. */
const lastWordsMs = 100;
/** Longest wait for Node to take notice of a child that is dead. */
const reapMs = 1000;
const maxErrorLineBytes = 64 * 1024;

/** Starts the program; rejects UPSTREAM_UNAVAILABLE when it cannot be started. */
export async function spawnChild(
  spec: ChildSpec,
  options: ChildOptions,
  events: ChildEvents,
): Promise<Child> {
  const { server } = spec;
  const { ledger } = options;
  const env = childEnvironment(spec.env ?? {}, process.env);
  if (ledger) env[childMarker] = ledger.nextMarker();
  const resolved = resolveCommand(server, spec.command, spec.args ?? [], env);
  const openFiles = spec.limits?.openFiles;
  const limited = openFiles === undefined ? undefined : withOpenFileLimit(resolved, openFiles, env, spec.cwd);
  const { command, args } = limited ?? resolved;
  const child = await start(server, command, args, env, spec.cwd, ledger);
  const limits = limitsToWatch(spec, limited !== undefined);
  const hold =
    limits &&
    ((tell: (problem: string) => void) =>
      options.processWatch?.add({ ...limits, pid: child.pid!, onOver: tell }));
  return watch(child, options, env[childMarker], events, hold);
}

/** What the operating system does not see to by itself; undefined when there is nothing. */
function limitsToWatch({ server, limits = {} }: ChildSpec, isLimited: boolean) {
  const { memoryMb } = limits;
  const openFiles = isLimited ? undefined : limits.openFiles;
  if (memoryMb === undefined && openFiles === undefined) return undefined;
  return { server, openFiles, ...(memoryMb !== undefined && { memoryBytes: memoryMb * 1024 * 1024 }) };
}

async function start(
  server: string,
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd: string | undefined,
  ledger: ProcessLedger | undefined,
): Promise<ChildProcess> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  try {
    const child = spawn(command, args, {
      env,
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
      shell: false,
    });
    if (child.pid !== undefined) ledger?.record(child.pid);
    child.once('spawn', resolve);
    child.once('error', reject);
    await promise;
    return child;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const problem = isMissing
      ? `cannot start ${command}: no such program on PATH, or the working folder does not exist`
      : `cannot start ${command}: ${messageOf(error)}`;
    throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem }, { cause: error });
  }
}

function watch(
  child: ChildProcess,
  { maxLineBytes, ledger }: ChildOptions,
  marker: string | undefined,
  events: ChildEvents,
  holdToLimits?: (onOver: (problem: string) => void) => (() => void) | undefined,
): Child {
  const pid = child.pid!;
  const stdin = child.stdin!;
  const stdout = child.stdout!;
  const stderr = child.stderr!;
  let ending: Promise<void> | undefined;
  let hasEnded = false;
  let hasExited = false;
  const exited = Promise.withResolvers<void>();

  function ended(problem: string, isOverLimit = false): void {
    if (hasEnded) return;
    hasEnded = true;
    events.onEnd(problem, isOverLimit);
    void end();
  }

  const unwatch = holdToLimits?.((problem) => ended(problem, true));

  async function endGroup(): Promise<void> {
    unwatch?.();
    stdin.end();
    const isEmpty = await endProcessGroup(pid, endTimes, () => hasExited);
    // Dead, but a zombie until Node has taken notice; what could not be killed is not waited for.
    if (isEmpty) await Promise.race([exited.promise, delay(reapMs, undefined, { ref: false })]);
    stdin.destroy();
    stdout.destroy();
    stderr.destroy();
    if (marker !== undefined) await ledger?.endEscaped(marker);
    // What could not be killed stays in the ledger for the next start.
    if (isEmpty) ledger?.forget(pid);
  }

  function end(): Promise<void> {
    ending ??= endGroup();
    return ending;
  }

  const lines = createLineReader({
    maxBytes: maxLineBytes,
    onLine: (line) => events.onLine(line),
    onTooLong: () => ended(`it sent a message of more than ${maxLineBytes} bytes`),
  });
  const errorLines = createLineReader({
    maxBytes: maxErrorLineBytes,
    onLine: (line) => events.onErrorLine(line),
    onTooLong: (bytes) => events.onErrorLine(`(a line of more than ${bytes} bytes was left out)`),
  });
  stdout.on('data', (chunk: Buffer) => {
    if (!hasEnded) lines.push(chunk);
  });
  stdout.once('end', () => {
    lines.end();
    // The exit code, if there is one, says more than the end of the output: give it a moment to arrive.
    setTimeout(() => ended('it closed its output'), lastWordsMs).unref();
  });
  stderr.on('data', (chunk: Buffer) => errorLines.push(chunk));
  stderr.once('end', () => errorLines.end());
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  stdin.on('error', () => setTimeout(() => ended('it closed its input'), lastWordsMs).unref());
  child.on('error', () => {});
  child.once('exit', (code, signal) => {
    hasExited = true;
    exited.resolve();
    const problem = signal ? `it was ended by ${signal}` : `it exited with code ${code}`;
    const tell = () => ended(problem);
    if (stdout.readableEnded) return tell();
    stdout.once('end', tell);
    setTimeout(tell, lastWordsMs).unref();
  });

  return {
    pid,
    write(line) {
      if (stdin.writable) stdin.write(line);
    },
    get isWritable() {
      return !stdin.writableNeedDrain;
    },
    whenWritable(task) {
      stdin.once('drain', task);
    },
    end,
  };
}
