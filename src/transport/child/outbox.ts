/**
 * Messages on their way into a child's stdin, in order. What is sent in one turn of the event loop goes out as one
 * write, which costs both processes less than many; what the pipe has no room for is kept.
 */

import type { Child } from './child.ts';

export interface Outbox {
  /** Sends a line soon, or when the pipe has room; its sender is marked when it was handed over. False when the queue is full. */
  send(line: string, sender?: Sender): boolean;
  /** Takes back what was not yet handed to the pipe. */
  takeBack(sender: Sender): void;
  /** Hands over at once what the pipe takes. */
  flush(): void;
}

interface Sender {
  sent: boolean;
}

interface Waiting {
  readonly line: string;
  readonly sender: Sender | undefined;
}

/** Characters handed over before the pipe is asked again whether it has room. */
const maxWriteChars = 64 * 1024;

/** The queue refuses more once it holds `maxChars` characters; a single line may always go into an empty one. */
export function createOutbox(child: Child, maxChars: number): Outbox {
  let queue: Waiting[] = [];
  let queuedChars = 0;
  let isScheduled = false;
  let isBlocked = false;

  /** Takes lines from the front, up to `maxWriteChars`, and hands them over. */
  function writeSome(from: number): number {
    let text = '';
    let count = from;
    while (count < queue.length && text.length < maxWriteChars) {
      const { line, sender } = queue[count++]!;
      if (sender) sender.sent = true;
      text += line;
    }
    queuedChars -= text.length;
    child.write(text);
    return count;
  }

  function flush(): void {
    isScheduled = false;
    let count = 0;
    while (count < queue.length && child.isWritable) count = writeSome(count);
    queue = count < queue.length ? queue.slice(count) : [];
    if (queue.length === 0 || isBlocked) return;
    isBlocked = true;
    child.whenWritable(() => {
      isBlocked = false;
      flush();
    });
  }

  return {
    send(line, sender) {
      if (queue.length > 0 && queuedChars + line.length > maxChars) return false;
      queue.push({ line, sender });
      queuedChars += line.length;
      if (!isScheduled && !isBlocked) {
        isScheduled = true;
        setImmediate(flush);
      }
      return true;
    },
    takeBack(sender) {
      queue = queue.filter((waiting) => {
        if (waiting.sender !== sender) return true;
        queuedChars -= waiting.line.length;
        return false;
      });
    },
    flush,
  };
}
