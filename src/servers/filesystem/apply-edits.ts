/** Exact replacements in a text. */

import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';

export const editShape = z.strictObject({
  oldText: z.string().min(1).max(1_000_000).describe('The text to replace, exactly, with its indentation.'),
  newText: z.string().max(10_000_000).describe('What takes its place; empty deletes it.'),
  replaceAll: z.boolean().default(false).describe('Replace every occurrence.'),
});

export type Edit = z.output<typeof editShape>;

/** Applies edits in turn. Throws a ToolError for text that is missing or not unique; nothing is applied then. */
export function applyEdits(text: string, edits: readonly Edit[]): { text: string; replaced: number } {
  // A file with CRLF is edited with LF, as models write it, and keeps its line ends.
  const crlf = text.includes('\r\n') && !/(^|[^\r])\n/.test(text);
  const adapt = (piece: string) => (crlf ? piece.replaceAll(/\r?\n/g, '\r\n') : piece);
  let current = text;
  let replaced = 0;
  for (const [index, edit] of edits.entries()) {
    const field = `edits[${index}].oldText`;
    const [oldText, newText] = [adapt(edit.oldText), adapt(edit.newText)];
    const pieces = current.split(oldText);
    const count = pieces.length - 1;
    if (count === 0) throw new ToolError(`${field}: not found${hint(current, oldText)}; nothing was changed`);
    if (count > 1 && !edit.replaceAll) {
      throw new ToolError(
        `${field}: occurs ${count} times; add lines around it, or set replaceAll; nothing was changed`,
      );
    }
    current = pieces.join(newText);
    replaced += count;
  }
  return { text: current, replaced };
}

/** The most common mistakes: other white space, and an edit before that already changed the place. */
function hint(text: string, oldText: string): string {
  const first = oldText
    .split(/\r?\n/)
    .find((line) => line.trim() !== '')
    ?.trim();
  if (first === undefined) return '';
  const lines = text.split(/\r?\n/);
  const at = lines.findIndex((line) => line.includes(first));
  return at === -1
    ? ''
    : `, though line ${at + 1} has its first line: compare white space and the lines after it`;
}
