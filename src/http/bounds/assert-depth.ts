/** How deep JSON lies in itself, looked at before it is parsed: what is parsed is walked and written again by functions that call themselves. */

import { AppError } from '../../kernel/errors.ts';

const [quote, backslash] = [0x22, 0x5c];
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Throws INVALID_REQUEST. Text that is no JSON may pass: the parser has its say about it. */
export function assertDepth(text: string, maxDepth: number): void {
  // Each level has an opening and a closing character, so that most bodies need no look.
  if (text.length <= maxDepth * 2) return;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === openArray || code === openObject) {
      depth += 1;
      if (depth > maxDepth)
        throw new AppError('INVALID_REQUEST', {
          problem: `the JSON of the body is nested deeper than ${maxDepth} levels`,
        });
    } else if (code === closeArray || code === closeObject) depth -= 1;
  }
}

/** The place of the closing quote; found by the engine's own search, as strings are most of a large body. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before -= 1;
    if ((end - 1 - before) % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}
