/** Which encoding a file has, and how its bytes become text. */

import { TextDecoder } from 'node:util';

/** Encodings that a caller may name; windows-874 is the older one for Thai (TIS-620). */
export const textEncodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-874', 'windows-1252'] as const;
export type TextEncoding = (typeof textEncodings)[number];

/** What the first bytes say: a text encoding, with the length of its byte order mark, or binary. */
export interface DetectedEncoding {
  readonly encoding: TextEncoding | 'binary';
  readonly markBytes: number;
}

/** Looks at the first bytes of a file (some KiB); only Unicode is recognised, the rest is binary. */
export function detectEncoding(start: Uint8Array): DetectedEncoding {
  if (start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf) return { encoding: 'utf-8', markBytes: 3 };
  if (start[0] === 0xff && start[1] === 0xfe) return { encoding: 'utf-16le', markBytes: 2 };
  if (start[0] === 0xfe && start[1] === 0xff) return { encoding: 'utf-16be', markBytes: 2 };
  if (start.includes(0)) return { encoding: 'binary', markBytes: 0 };
  try {
    // `stream` accepts a character that the end of the sample cuts in two.
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
    return { encoding: 'utf-8', markBytes: 0 };
  } catch {
    return { encoding: 'binary', markBytes: 0 };
  }
}
