/** Server-sent events, read as the bytes arrive (WHATWG HTML, section 9.2.6). */

export interface SseEvent {
  /** `message` when the stream names none. */
  readonly type: string;
  readonly data: string;
}

export interface SsePosition {
  /** Id that a reconnection repeats in `Last-Event-ID`. */
  readonly lastEventId: string | undefined;
  /** Delay before a reconnection that the server asked for, milliseconds. */
  readonly retryMs: number | undefined;
}

export interface SseParser {
  push(chunk: Uint8Array): void;
  /** Where the stream could be taken up again. */
  position(): SsePosition;
}

/** Longest wait that a server may ask for with `retry:`, milliseconds. */
const maxRetryMs = 5 * 60_000;

/** `onTooLong` is told, once, when a single event grows beyond `maxChars`; nothing is delivered after that. */
export function createSseParser(options: {
  maxChars: number;
  onEvent: (event: SseEvent) => void;
  onTooLong: () => void;
}): SseParser {
  // The decoder drops a leading byte order mark and keeps characters that a chunk border splits.
  const decoder = new TextDecoder();
  /** Pieces of the unfinished line, joined once when it ends. */
  let pieces: string[] = [];
  let heldChars = 0;
  let endedWithReturn = false;
  let isDead = false;
  let type = '';
  let data: string[] = [];
  let dataChars = 0;
  let lastEventId: string | undefined;
  let retryMs: number | undefined;

  function dispatch(): void {
    if (data.length > 0) options.onEvent({ type: type || 'message', data: data.join('\n') });
    type = '';
    data = [];
    dataChars = 0;
  }

  function takeField(name: string, value: string): void {
    if (name === 'data') {
      data.push(value);
      dataChars += value.length + 1;
    } else if (name === 'event') type = value;
    else if (name === 'id') {
      if (!value.includes('\0')) lastEventId = value;
    } else if (name === 'retry' && /^\d+$/.test(value)) retryMs = Math.min(Number(value), maxRetryMs);
  }

  function takeLine(line: string): void {
    if (line === '') return dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return;
    if (colon < 0) return takeField(line, '');
    takeField(line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1));
  }

  function hold(piece: string): void {
    if (piece === '') return;
    heldChars += piece.length;
    if (heldChars + dataChars > options.maxChars) {
      isDead = true;
      options.onTooLong();
    } else pieces.push(piece);
  }

  function endLine(): void {
    const line = pieces.length === 1 ? pieces[0]! : pieces.join('');
    pieces = [];
    heldChars = 0;
    takeLine(line);
  }

  return {
    push(chunk) {
      const text = decoder.decode(chunk, { stream: true });
      if (text === '') return;
      let start = endedWithReturn && text.startsWith('\n') ? 1 : 0;
      endedWithReturn = false;
      const lineEnd = /\r\n?|\n/g;
      lineEnd.lastIndex = start;
      for (let match = lineEnd.exec(text); match && !isDead; match = lineEnd.exec(text)) {
        hold(text.slice(start, match.index));
        if (isDead) return;
        start = lineEnd.lastIndex;
        endedWithReturn = match[0] === '\r' && start === text.length;
        endLine();
      }
      if (!isDead) hold(text.slice(start));
    },
    position: () => ({ lastEventId, retryMs }),
  };
}
