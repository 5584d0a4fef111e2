/** The last lines a server wrote to standard error, bounded in number and length. */

export interface LogLine {
  /** ISO 8601. */
  readonly at: string;
  readonly line: string;
}

export interface LogRing {
  push(line: string): void;
  /** The last `count` lines, oldest first. */
  tail(count: number): LogLine[];
}

const maxLineLength = 4000;

export function createLogRing(now: () => number, capacity = 1000): LogRing {
  const lines: LogLine[] = [];
  return {
    push(line) {
      lines.push({ at: new Date(now()).toISOString(), line: line.slice(0, maxLineLength) });
      // Cut in blocks, so that a chatty server does not pay for a shift on each line.
      if (lines.length > capacity * 2) lines.splice(0, lines.length - capacity);
    },
    tail: (count) => lines.slice(-Math.min(count, capacity)),
  };
}
