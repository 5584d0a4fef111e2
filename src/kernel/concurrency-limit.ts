/** At most so many tasks at a time; the rest wait their turn. */

import { AppError } from './errors.ts';

export interface ConcurrencyLimit {
  /** Runs the task when a place is free. Throws OVERLOADED when too many wait, or the signal's reason. */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** A limit of `size` running tasks with at most `maxWaiting` behind them. */
export function createConcurrencyLimit(size: number, maxWaiting: number): ConcurrencyLimit {
  let free = size;
  const waiting = new Set<() => void>();

  /** Waits for a place; the place is handed over, so that no latecomer takes it. */
  async function takePlace(signal: AbortSignal | undefined): Promise<void> {
    if (free > 0) {
      free--;
      return;
    }
    if (waiting.size >= maxWaiting)
      throw new AppError('OVERLOADED', { problem: `${maxWaiting} tasks are waiting` });
    const turn = Promise.withResolvers<void>();
    const leave = () => {
      // False when the place was handed over already: then the task runs and sees the signal itself.
      if (waiting.delete(turn.resolve)) turn.reject(signal?.reason);
    };
    waiting.add(turn.resolve);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  function leavePlace(): void {
    const [next] = waiting;
    if (next === undefined) {
      free++;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async run(task, signal) {
      signal?.throwIfAborted();
      await takePlace(signal);
      try {
        return await task();
      } finally {
        leavePlace();
      }
    },
  };
}
