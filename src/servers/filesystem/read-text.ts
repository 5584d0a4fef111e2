/** Reads some lines of a file of any size without holding the rest. */

import type { FileHandle } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import type { TextEncoding } from './text-encoding.ts';

export interface LineRange {
  /** From 1. */
  readonly startLine: number;
  readonly maxLines: number;
  /** Bytes of UTF-8 that are returned at most; a longer line is cut. */
  readonly maxBytes: number;
}

export interface TextPart {
  readonly text: string;
  /** Complete or cut lines in `text`. */
  readonly lines: number;
  /** Line to go on with, when there is more. */
  readonly nextLine?: number;
  /** True when a line was cut because it is too long. */
  readonly cut: boolean;
}

const chunkBytes = 64 * 1024;

/** Reads lines with their line ends, from an open file. */
export async function readLines(
  file: FileHandle,
  encoding: TextEncoding,
  range: LineRange,
  signal: AbortSignal,
): Promise<TextPart> {
  const collector = createCollector(range);
  const decoder = new TextDecoder(encoding);
  const buffer = Buffer.alloc(chunkBytes);
  for (let position = 0; ;) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, position);
    position += bytesRead;
    const text = decoder.decode(buffer.subarray(0, bytesRead), { stream: bytesRead > 0 });
    if (collector.add(text) || bytesRead === 0) return collector.part();
  }
}

/** Takes text piece by piece; `add` returns true when it needs no more. */
function createCollector({ startLine, maxLines, maxBytes }: LineRange) {
  const whole: string[] = [];
  let wholeBytes = 0;
  /** The line that has not ended yet. */
  let open = '';
  let line = 1;
  let nextLine: number | undefined;
  let cut = false;

  /** Takes a line or a part of one; true when the page is full. */
  function take(piece: string): boolean {
    if (whole.length === maxLines) {
      nextLine = line;
      return true;
    }
    open += piece;
    if (wholeBytes + Buffer.byteLength(open) > maxBytes) {
      // A line that does not fit goes on the next page, unless it alone is too long for any.
      cut = whole.length === 0;
      nextLine = cut ? line + 1 : line;
      open = cut ? cutToBytes(open, maxBytes) : '';
      return true;
    }
    if (!piece.endsWith('\n')) return false;
    whole.push(open);
    wholeBytes += Buffer.byteLength(open);
    open = '';
    return false;
  }

  return {
    add(text: string): boolean {
      for (let from = 0; from < text.length;) {
        const end = text.indexOf('\n', from);
        const to = end === -1 ? text.length : end + 1;
        if (line >= startLine && take(text.slice(from, to))) return true;
        if (end !== -1) line++;
        from = to;
      }
      return false;
    },
    part(): TextPart {
      const lines = open === '' ? whole : [...whole, open];
      return { text: lines.join(''), lines: lines.length, nextLine, cut };
    },
  };
}

/** The longest start of a text that has at most so many bytes of UTF-8. */
function cutToBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text).subarray(0, Math.max(0, maxBytes));
  return new TextDecoder('utf-8').decode(bytes, { stream: true });
}
