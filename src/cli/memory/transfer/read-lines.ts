/** Lines of a text file with their numbers. Not node:readline: that also splits at U+2028, which JSON may hold. */

import { createReadStream } from 'node:fs';
import { badInput } from '../formats/memory-entry.ts';

/** The largest memory, with every character escaped. */
const maxLineBytes = 64 * 1024 * 1024;

/** A line that is not empty. */
export interface Line {
  readonly text: string;
  /** `file:number`, the first line is 1. */
  readonly place: string;
}

/** Throws INVALID_INPUT naming file and line for bytes that are not UTF-8 and for lines over 64 MiB. */
export async function* readLines(path: string, name: string): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let parts: Buffer[] = [];
  let bytes = 0;
  let number = 0;

  function finish(): Line | undefined {
    number++;
    const place = `${name}:${number}`;
    let text: string;
    try {
      text = decoder.decode(Buffer.concat(parts)).trim();
    } catch {
      throw badInput(place, 'is not UTF-8');
    }
    parts = [];
    bytes = 0;
    return text === '' ? undefined : { text, place };
  }

  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let rest = chunk;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      parts.push(rest.subarray(0, end));
      const line = finish();
      if (line) yield line;
      rest = rest.subarray(end + 1);
    }
    parts.push(rest);
    bytes += rest.length;
    if (bytes > maxLineBytes) throw badInput(`${name}:${number + 1}`, `is longer than ${maxLineBytes} bytes`);
  }
  const last = finish();
  if (last) yield last;
}
