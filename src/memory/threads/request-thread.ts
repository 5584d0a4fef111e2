/** A worker thread that answers requests, as seen from the coordinator's thread. */

import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode, type ErrorData, messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { ThreadLogLine } from './thread-logger.ts';

/** What a thread does, by name; inputs and answers are structured-cloneable. */
export type Tasks = Readonly<Record<string, (input: never) => unknown>>;

/** What goes to the thread. */
export interface ThreadRequest {
  readonly id: number;
  readonly task: string;
  readonly input: unknown;
}

/** What comes back. */
export type ThreadAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly code: ErrorCode; readonly data: ErrorData };

export interface RequestThread<T> extends AsyncDisposable {
  /** Throws what the task failed with, GIT_FAILED when the thread ends before it answers, SHUTTING_DOWN. */
  ask<Name extends keyof T & string>(
    task: Name,
    input: T[Name] extends (input: infer Input) => unknown ? Input : never,
    transfer?: ArrayBuffer[],
  ): Promise<T[Name] extends (input: never) => infer Result ? Awaited<Result> : never>;
  /** Tells a running thread; one that starts later gets to know it by its `workerData`. */
  tell<Name extends keyof T & string>(
    task: Name,
    input: T[Name] extends (input: infer Input) => unknown ? Input : never,
  ): void;
  /** Ends the thread once it has answered what was asked; a later request starts it again. */
  rest(): Promise<void>;
}

const longestEndMs = 10_000;

interface Waiting {
  resolve(result: never): void;
  reject(error: AppError): void;
}

/**
 * Starts the thread with the first request, and again after it died; requests then in it are rejected. The
 * thread's file is `<entry>.ts`, or `.js` in the published build.
 */
export function createRequestThread<T>(options: {
  readonly name: string;
  /** URL of the file without its ending. */
  readonly entry: URL;
  /** Asked for with each start. */
  readonly workerData: () => unknown;
  readonly logger: Logger;
  /** A thread that died by itself was replaced or will be. */
  readonly onDied?: () => void;
}): RequestThread<T> {
  const { name, logger, workerData } = options;
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let nextId = 1;
  let closed = false;
  let isEnding = false;

  function failed(problem: string, cause?: unknown): AppError {
    return new AppError('GIT_FAILED', { command: name, problem }, { cause });
  }

  function startWorker(): Worker {
    // The build renames imports, but not this: the published file is JavaScript.
    const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    const started = new Worker(new URL(options.entry.href + ending), { workerData: workerData() });
    started.on('message', (answer: ThreadAnswer | ThreadLogLine) => {
      if ('log' in answer) {
        logger[answer.log](answer.fields, answer.text);
        return;
      }
      const one = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('result' in answer) one?.resolve(answer.result as never);
      else one?.reject(new AppError(answer.code, answer.data));
    });
    started.on('error', (error) => logger.error({ err: error, thread: name }, 'a memory thread failed'));
    started.on('exit', (code) => {
      if (worker === started) worker = undefined;
      for (const one of waiting.values()) one.reject(failed(`the thread ended (${code})`));
      waiting.clear();
      if (!closed && !isEnding) options.onDied?.();
    });
    return started;
  }

  function ask(task: string, input: unknown, transfer: ArrayBuffer[] = []): Promise<never> {
    return new Promise((resolve, reject) => {
      if (closed) {
        reject(new AppError('SHUTTING_DOWN'));
        return;
      }
      try {
        worker ??= startWorker();
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, task, input } satisfies ThreadRequest, transfer);
      } catch (error) {
        reject(failed(messageOf(error), error));
      }
    });
  }

  async function rest(): Promise<void> {
    if (!worker) return;
    isEnding = true;
    const ending = worker;
    const gone = new Promise<void>((resolve) => {
      ending.once('exit', () => resolve());
    });
    await ask('close', undefined).catch(() => {});
    const timer = setTimeout(() => {
      logger.warn({ thread: name }, 'a memory thread does not end by itself');
      void ending.terminate();
    }, longestEndMs);
    await gone;
    clearTimeout(timer);
    isEnding = false;
  }

  return {
    ask,
    tell(task, input) {
      // A thread that dies of it, or with it, starts anew with what it needs.
      if (worker) ask(task, input).catch(() => {});
    },
    rest,
    async [Symbol.asyncDispose]() {
      await rest();
      closed = true;
    },
  };
}
