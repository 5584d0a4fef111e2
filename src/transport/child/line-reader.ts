/** Splits a byte stream into lines without copying a byte twice. */

export interface LineReader {
  push(chunk: Buffer): void;
  /** Hands over what remains without a line end. */
  end(): void;
}

const lineFeed = 10;
const carriageReturn = 13;

/**
 * Calls `onLine` for each line, decoded as UTF-8 without its `\n` or `\r\n`. A line longer than `maxBytes`
 * is dropped up to its end, and `onTooLong` told once for it.
 */
export function createLineReader(options: {
  maxBytes: number;
  onLine: (line: string) => void;
  onTooLong: (bytes: number) => void;
}): LineReader {
  const { maxBytes, onLine, onTooLong } = options;
  /** Pieces of the unfinished line, joined once when it ends. */
  let pieces: Buffer[] = [];
  let heldBytes = 0;
  let isDropping = false;

  function hold(piece: Buffer): void {
    if (isDropping || piece.length === 0) return;
    heldBytes += piece.length;
    if (heldBytes > maxBytes) {
      isDropping = true;
      onTooLong(heldBytes);
      pieces = [];
    } else pieces.push(piece);
  }

  function flush(): void {
    const line = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    const wasDropped = isDropping;
    pieces = [];
    heldBytes = 0;
    isDropping = false;
    if (wasDropped) return;
    const end = line.at(-1) === carriageReturn ? line.length - 1 : line.length;
    onLine(line.toString('utf8', 0, end));
  }

  return {
    push(chunk) {
      let start = 0;
      for (;;) {
        const end = chunk.indexOf(lineFeed, start);
        if (end < 0) break;
        hold(chunk.subarray(start, end));
        flush();
        start = end + 1;
      }
      hold(chunk.subarray(start));
    },
    end() {
      if (heldBytes > 0) flush();
    },
  };
}
