/** The Git writer as seen from the coordinator's thread: the same calls, done in a worker. */

import { Worker } from 'node:worker_threads';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { CommitOutcome, GitWriter } from './git-writer.ts';
import {
  type WorkerAnswer,
  type WorkerOptions,
  type WorkerRequest,
  fromFailure,
  packBatch,
} from './worker-messages.ts';

type RequestBody = WorkerRequest extends infer R ? (R extends WorkerRequest ? Omit<R, 'id'> : never) : never;

interface Waiting {
  resolve(outcome: CommitOutcome | boolean): void;
  reject(error: AppError): void;
}

/** Starts the thread with the first request, and again after it died; requests then in it are rejected. */
export function createGitThread(options: WorkerOptions & { readonly logger: Logger }): GitWriter {
  const { logger, ...workerData } = options;
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let nextId = 1;
  let closed = false;

  function startWorker(): Worker {
    // The build renames imports, but not this: the published file is JavaScript.
    const entry = import.meta.url.endsWith('.ts')
      ? new URL('./worker.ts', import.meta.url)
      : new URL('./worker.js', import.meta.url);
    const started = new Worker(entry, {
      workerData,
    });
    started.on('message', (answer: WorkerAnswer) => {
      const one = waiting.get(answer.id);
      waiting.delete(answer.id);
      if ('outcome' in answer) one?.resolve(answer.outcome);
      else one?.reject(fromFailure(answer));
    });
    started.on('error', (error) => logger.error({ err: error }, 'the git worker failed'));
    started.on('exit', (code) => {
      if (worker === started) worker = undefined;
      for (const one of waiting.values()) {
        one.reject(new AppError('GIT_FAILED', { command: 'commit', problem: `the worker ended (${code})` }));
      }
      waiting.clear();
    });
    return started;
  }

  function ask(body: RequestBody, transfer: ArrayBuffer[] = []): Promise<CommitOutcome | boolean> {
    return new Promise((resolve, reject) => {
      if (closed) {
        reject(new AppError('SHUTTING_DOWN'));
        return;
      }
      try {
        worker ??= startWorker();
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, ...body }, transfer);
      } catch (error) {
        reject(
          new AppError('GIT_FAILED', { command: 'commit', problem: messageOf(error) }, { cause: error }),
        );
      }
    });
  }

  return {
    async commit(records) {
      const batch = packBatch(records);
      return (await ask({ op: 'commit', batch }, [batch.contents.buffer])) as CommitOutcome;
    },
    async upkeep() {
      return (await ask({ op: 'upkeep' })) === true;
    },
    async [Symbol.asyncDispose]() {
      if (worker) await ask({ op: 'close' }).catch(() => {});
      closed = true;
      await worker?.terminate();
    },
  };
}
