/** The last lines a server wrote to standard error, bounded in number and length. */

import { randomBytes } from 'node:crypto';

export interface LogLine {
  /** ISO 8601. */
  readonly at: string;
  readonly line: string;
  /** Where it stands; reading goes on behind it. */
  readonly position: string;
}

export interface LogPage {
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  /** Where to go on. */
  readonly next: string;
  /** Lines before these are not kept any more, or the position is not one of this ring. */
  readonly reset: boolean;
}

export interface LogRing {
  push(line: string): void;
  /** The last `count` lines. */
  tail(count: number): LogPage;
  /** At most `count` lines behind a position, or from a time on (milliseconds since the epoch). */
  read(since: string | number, count: number): LogPage;
  /** Runs after each line; the returned function ends that. */
  onLine(listener: () => void): () => void;
}

const maxLineLength = 4000;

export function createLogRing(now: () => number, capacity = 1000): LogRing {
  const lines: { readonly atMs: number; readonly line: string }[] = [];
  const listeners = new Set<() => void>();
  // A ring that was made anew has other positions than the one before.
  const id = randomBytes(4).toString('hex');
  /** Number of the first line that is kept, counted from 0. */
  let first = 0;

  function page(from: number, count: number, reset = false): LogPage {
    const kept = lines.slice(from - first, from - first + count);
    const found = kept.map(({ atMs, line }, n) => ({
      at: new Date(atMs).toISOString(),
      line,
      position: `${id}-${from + n + 1}`,
    }));
    return { lines: found, next: `${id}-${from + kept.length}`, reset };
  }

  /** How many lines may be shown: the array holds more, so that it need not be cut at each line. */
  const oldest = () => Math.max(first, first + lines.length - capacity);

  return {
    push(line) {
      lines.push({ atMs: now(), line: line.slice(0, maxLineLength) });
      // Cut in blocks, so that a chatty server does not pay for a shift on each line.
      if (lines.length > capacity * 2) first += lines.splice(0, lines.length - capacity).length;
      for (const listener of listeners) listener();
    },
    tail: (count) => page(Math.max(oldest(), first + lines.length - count), count),
    read(since, count) {
      if (typeof since === 'number') {
        const at = lines.findIndex(({ atMs }) => atMs >= since);
        return page(Math.max(oldest(), at < 0 ? first + lines.length : first + at), count);
      }
      const [run, number] = since.split('-');
      const from = Number(number);
      const isKnown = run === id && from >= oldest() && from <= first + lines.length;
      return isKnown ? page(from, count) : page(oldest(), count, true);
    },
    onLine(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
