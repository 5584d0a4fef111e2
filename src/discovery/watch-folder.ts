/**
 * Notices changes in one folder. `fs.watch` is quick and not reliable (network file systems, a folder that is
 * deleted and made again, links into other folders), so the folder is looked at every few seconds as well.
 */

import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '../kernel/clock.ts';

export interface WatchOptions {
  readonly clock: Clock;
  /** Quiet time before the task runs: editors write in several steps. */
  readonly debounceMs?: number;
  /** From one look to the next, whatever `fs.watch` says. */
  readonly pollMs?: number;
}

/**
 * Runs `task` some time after anything in `folder` has changed, and every `pollMs`; never twice at once. The folder
 * need not exist yet. A task that rejects is the caller's mistake.
 */
export function watchFolder(
  folder: string,
  task: () => Promise<void>,
  options: WatchOptions,
): AsyncDisposable {
  const { clock, debounceMs = 200, pollMs = 5000 } = options;
  let watcher: FSWatcher | undefined;
  let cancelDebounce: (() => void) | undefined;
  let cancelPoll = (): void => {};
  let isClosed = false;
  let isWanted = false;
  let running: Promise<void> | undefined;

  function unwatch(): void {
    watcher?.close();
    watcher = undefined;
  }

  function rewatch(): void {
    if (watcher || isClosed) return;
    try {
      watcher = watch(folder, { persistent: false }, (event) => {
        soon();
        // The folder itself may have been moved away: the next look watches what is there then.
        if (event === 'rename') unwatch();
      });
      watcher.on('error', unwatch);
    } catch {
      // Not there yet, or no watches left: looking every few seconds does it.
    }
  }

  function soon(): void {
    cancelDebounce?.();
    cancelDebounce = clock.after(debounceMs, run);
  }

  function run(): void {
    if (isClosed) return;
    if (running) {
      isWanted = true;
      return;
    }
    isWanted = false;
    rewatch();
    running = task().finally(() => {
      running = undefined;
      if (isWanted) run();
    });
  }

  function poll(): void {
    cancelPoll = clock.after(pollMs, () => {
      run();
      poll();
    });
  }

  rewatch();
  poll();
  return {
    async [Symbol.asyncDispose]() {
      isClosed = true;
      unwatch();
      cancelDebounce?.();
      cancelPoll();
      await running;
    },
  };
}
