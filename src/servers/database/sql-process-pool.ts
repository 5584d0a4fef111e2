/** A few processes that run SQL, started on demand, ended when idle, killed when a statement takes too long. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '../../kernel/clock.ts';
import { ToolError } from '../../kernel/define-server.ts';
import { AppError } from '../../kernel/errors.ts';
import type { SqlAnswer, SqlOperation, SqlOperations, SqlRequest } from './sql-operations.ts';

export interface SqlRunOptions {
  /** How long the statement may run, counted from its start. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface SqlProcessPool extends AsyncDisposable {
  /** Runs one operation. Throws ToolError for what a caller can correct, OVERLOADED, UPSTREAM_FAILED. */
  run<Op extends SqlOperation>(
    operation: Op,
    input: SqlOperations[Op]['input'],
    options: SqlRunOptions,
  ): Promise<SqlOperations[Op]['output']>;
  /** Ends the processes that have nothing to do, so that no file is held open. */
  endIdle(): Promise<void>;
  /** Process ids, for tests. */
  readonly pids: readonly number[];
}

interface Job extends SqlRunOptions {
  readonly request: SqlRequest;
  settle(result: { value: unknown } | { error: unknown }): void;
}

interface SqlProcess {
  readonly child: ChildProcess;
  job: Job | undefined;
  cancelTimer: () => void;
}

const idleMs = 30_000;
const maxQueued = 1000;
/** A plain .ts path in the tree, .js in a published build. */
const entry = fileURLToPath(
  new URL(`./sql-process${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url),
);
/** What SQLite and Node need; the rest of the environment may hold secrets. */
const passedOn = ['SystemRoot', 'TEMP', 'TMP', 'TMPDIR', 'SQLITE_TMPDIR'];

function startProcess(): ChildProcess {
  const environment = Object.fromEntries(
    passedOn.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  return fork(entry, [String(process.pid)], {
    env: environment,
    execArgv: ['--max-old-space-size=256'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    windowsHide: true,
  } as Parameters<typeof fork>[2]);
}

/** A pool of at most `size` processes. */
export function createSqlProcessPool(options: { size: number; clock?: Clock }): SqlProcessPool {
  const clock = options.clock ?? systemClock;
  const processes = new Set<SqlProcess>();
  const queue: Job[] = [];

  function pump(): void {
    while (queue.length > 0) {
      const free = [...processes].find(({ job }) => job === undefined);
      if (!free && processes.size >= options.size) return;
      begin(free ?? addProcess(), queue.shift()!);
    }
  }

  function addProcess(): SqlProcess {
    const added: SqlProcess = { child: startProcess(), job: undefined, cancelTimer: () => {} };
    processes.add(added);
    added.child.on('message', (answer: SqlAnswer) => finish(added, resultOf(answer)));
    const gone = (why: string) => {
      processes.delete(added);
      finish(added, { error: new AppError('UPSTREAM_FAILED', { server: 'sqlite', problem: why }) });
    };
    added.child.on('error', (error) => gone(error.message));
    added.child.on('exit', (code, signal) => gone(`the SQL process ended (${signal ?? code})`));
    return added;
  }

  function begin(process: SqlProcess, job: Job): void {
    process.cancelTimer();
    process.job = job;
    setReferenced(process.child, true);
    const stop = (error: unknown) => {
      processes.delete(process);
      process.child.kill('SIGKILL');
      finish(process, { error });
    };
    const cancelTimeout = clock.after(job.timeoutMs, () =>
      stop(
        new ToolError(
          `sql: stopped after ${job.timeoutMs} ms (setting timeoutMs) and rolled back; narrow it or add an index`,
        ),
      ),
    );
    const onAbort = () => stop(job.signal.reason);
    job.signal.addEventListener('abort', onAbort, { once: true });
    process.cancelTimer = () => {
      cancelTimeout();
      job.signal.removeEventListener('abort', onAbort);
    };
    process.child.send(job.request, (error) => {
      if (error) stop(new AppError('UPSTREAM_FAILED', { server: 'sqlite', problem: error.message }));
    });
  }

  function finish(process: SqlProcess, result: Parameters<Job['settle']>[0]): void {
    const { job } = process;
    process.cancelTimer();
    process.cancelTimer = () => {};
    process.job = undefined;
    if (processes.has(process)) {
      setReferenced(process.child, false);
      process.cancelTimer = clock.after(idleMs, () => void end(process));
    }
    job?.settle(result);
    pump();
  }

  async function end(process: SqlProcess): Promise<void> {
    processes.delete(process);
    process.cancelTimer();
    if (process.child.exitCode !== null || process.child.signalCode !== null) return;
    const exited = once(process.child, 'exit');
    if (process.job) process.child.kill('SIGKILL');
    else if (process.child.connected) process.child.disconnect();
    await exited;
  }

  return {
    run: (operation, input, { timeoutMs, signal }) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        if (queue.length >= maxQueued) {
          return reject(new AppError('OVERLOADED', { problem: `${maxQueued} SQL statements are waiting` }));
        }
        const onAbort = () => {
          const index = queue.indexOf(job);
          if (index !== -1) queue.splice(index, 1);
          if (index !== -1) job.settle({ error: signal.reason });
        };
        const job: Job = {
          request: { operation, input },
          timeoutMs,
          signal,
          settle(result) {
            signal.removeEventListener('abort', onAbort);
            if ('error' in result) reject(result.error);
            else resolve(result.value as SqlOperations[typeof operation]['output']);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        queue.push(job);
        pump();
      }),
    async endIdle() {
      await Promise.all([...processes].filter(({ job }) => job === undefined).map(end));
    },
    get pids() {
      return [...processes].flatMap(({ child }) => child.pid ?? []);
    },
    async [Symbol.asyncDispose]() {
      for (const job of queue.splice(0)) job.settle({ error: new AppError('SHUTTING_DOWN') });
      await Promise.all([...processes].map(end));
    },
  };
}

function resultOf(answer: SqlAnswer): Parameters<Job['settle']>[0] {
  if (answer.kind === 'value') return { value: answer.value };
  if (answer.kind === 'tool-error') return { error: new ToolError(answer.message) };
  return { error: new AppError('UPSTREAM_FAILED', { server: 'sqlite', problem: answer.message }) };
}

/** A referenced child keeps its parent alive; an idle one must not. */
function setReferenced(child: ChildProcess, referenced: boolean): void {
  if (referenced) child.ref();
  else child.unref();
  if (referenced) child.channel?.ref();
  else child.channel?.unref();
}
