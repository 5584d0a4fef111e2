/** Messages on their way into a child's stdin: written while the pipe takes them, kept in order while it does not. */

import type { Child } from './child.ts';

export interface Outbox {
  /** Sends a line, now or when the pipe has room; `onWritten` runs when it was handed to the pipe. False when the queue is full. */
  send(line: string, onWritten?: () => void): boolean;
  /** Takes back what was not yet handed to the pipe; `onWritten` identifies it. */
  takeBack(onWritten: () => void): void;
}

interface Waiting {
  readonly line: string;
  readonly onWritten: (() => void) | undefined;
}

/** The queue refuses more once it holds `maxChars` characters. */
export function createOutbox(child: Child, maxChars: number): Outbox {
  let queue: Waiting[] = [];
  let queuedChars = 0;

  function write({ line, onWritten }: Waiting): void {
    onWritten?.();
    child.write(line);
  }

  function flush(): void {
    let count = 0;
    while (count < queue.length && child.isWritable) {
      const waiting = queue[count++]!;
      queuedChars -= waiting.line.length;
      write(waiting);
    }
    queue = queue.slice(count);
    if (queue.length > 0) child.whenWritable(flush);
  }

  return {
    send(line, onWritten) {
      const waiting = { line, onWritten };
      if (queue.length === 0 && child.isWritable) {
        write(waiting);
        return true;
      }
      if (queuedChars + line.length > maxChars) return false;
      queue.push(waiting);
      queuedChars += line.length;
      if (queue.length === 1) child.whenWritable(flush);
      return true;
    },
    takeBack(onWritten) {
      queue = queue.filter((waiting) => {
        if (waiting.onWritten !== onWritten) return true;
        queuedChars -= waiting.line.length;
        return false;
      });
    },
  };
}
