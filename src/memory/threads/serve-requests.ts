/** The other side of a request thread: does one task after the other, off the coordinator's event loop. */

import { parentPort } from 'node:worker_threads';
import { isAppError } from '../../kernel/errors.ts';
import { toStorageError } from '../journal/journal.ts';
import type { Tasks, ThreadAnswer, ThreadRequest } from './request-thread.ts';

export interface RequestQueue {
  /** True while nobody waits, so that there is time for other work. */
  readonly isIdle: boolean;
}

/**
 * Serves the tasks in the order in which they were asked, those `beside` beside the others. `path` is what
 * failures without a code of ours are about. `onIdle` is called after the last waiting task.
 */
export function serveRequests<T extends { [Name in keyof T]: (input: never) => unknown }>(
  tasks: T,
  options: {
    readonly path: string;
    readonly beside?: readonly (keyof T)[];
    readonly onIdle?: () => void;
  },
): RequestQueue {
  let last: Promise<void> = Promise.resolve();
  let open = 0;

  async function answer({ id, task, input }: ThreadRequest): Promise<ThreadAnswer> {
    try {
      return { id, result: await (tasks as Tasks)[task]?.(input as never) };
    } catch (error) {
      const known = isAppError(error) ? error : toStorageError(error, options.path);
      return { id, code: known.code, data: known.data };
    }
  }

  async function handle(previous: Promise<void>, request: ThreadRequest): Promise<void> {
    await previous;
    parentPort?.postMessage(await answer(request), []);
    open -= 1;
    // The thread ends by itself when nothing is left to do: ending it from outside can crash the whole process.
    if (request.task === 'close') parentPort?.close();
    else if (open === 0) options.onIdle?.();
  }

  parentPort?.on('message', (request: ThreadRequest) => {
    open += 1;
    const isBeside = options.beside?.some((task) => task === request.task) === true;
    if (isBeside) void handle(Promise.resolve(), request);
    else last = handle(last, request);
  });
  return {
    get isIdle() {
      return open === 0;
    },
  };
}
