/** Tools that write text and bytes: write, append, edit. */

import { constants } from 'node:fs';
import { z } from 'zod';
import { ToolError } from '../../kernel/define-server.ts';
import { applyEdits, editShape } from './apply-edits.ts';
import type { FileContext } from './file-settings.ts';
import { changes, defineFileTool, pathShape, shownShape } from './file-tool.ts';
import { makeParents, openFile } from './open-file.ts';
import { type Located, locate, mustExist } from './path-guard.ts';
import { readWhole } from './read-tools.ts';
import { detectEncoding } from './text-encoding.ts';
import { unifiedDiff } from './unified-diff.ts';
import { whileLocked, writeFileAtomically } from './write-file-atomically.ts';

const contentShape = z
  .string()
  .max(100_000_000)
  .describe('Text, or bytes in Base64 when encoding is base64.');
const encodingShape = z.enum(['utf-8', 'base64']).default('utf-8').describe('How content is written.');

function bytesOf(content: string, encoding: 'utf-8' | 'base64', context: FileContext): Buffer {
  if (encoding === 'base64' && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(content)) {
    throw new ToolError('content: is not Base64; send Base64, or text with encoding utf-8');
  }
  const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
  checkSize(bytes.length, context);
  return bytes;
}

function checkSize(bytes: number, context: FileContext): void {
  const limit = context.settings.maxFileBytes;
  if (bytes <= limit) return;
  throw new ToolError(
    `content: the file would have ${bytes} bytes, the limit is ${limit} (setting maxFileBytes)`,
  );
}

/** A place for a file, with its folder made when that is wanted. */
async function locateForWriting(
  path: string,
  createParents: boolean,
  context: FileContext,
): Promise<Located> {
  const located = await locate(path, context);
  if (createParents && !located.exists) await makeParents(located);
  return located;
}

const createParentsShape = z.boolean().default(true).describe('Make the folders above that are missing.');

export const writeFile = defineFileTool({
  name: 'write_file',
  title: 'Write a file',
  description:
    'Write a whole file, at once or not at all. An existing file is kept unless overwrite is true; use edit_file to ' +
    'change a part and append_file to add to the end.',
  input: z.strictObject({
    path: pathShape,
    content: contentShape,
    encoding: encodingShape,
    overwrite: z.boolean().default(false).describe('Replace an existing file.'),
    createParents: createParentsShape,
  }),
  output: z.object({
    path: shownShape,
    bytes: z.number().int().describe('Size of the file.'),
    created: z.boolean().describe('False when a file was replaced.'),
  }),
  annotations: changes({ destructive: true, idempotent: true }),
  run: async (args, context) => {
    const bytes = bytesOf(args.content, args.encoding, context);
    const located = await locateForWriting(args.path, args.createParents, context);
    return whileLocked(located.path, async () => {
      const { exists } = await locate(args.path, context);
      if (exists && !args.overwrite) {
        throw new ToolError(
          `path: ${located.shown} exists; set overwrite to true, or change it with edit_file`,
        );
      }
      await writeFileAtomically(located, bytes);
      return { path: located.shown, bytes: bytes.length, created: !exists };
    });
  },
});

export const appendFile = defineFileTool({
  name: 'append_file',
  title: 'Append to a file',
  description:
    'Add text or bytes to the end of a file, which is made if it is missing. For logs, notes and large files in parts.',
  input: z.strictObject({
    path: pathShape,
    content: contentShape,
    encoding: encodingShape,
    createParents: createParentsShape,
  }),
  output: z.object({
    path: shownShape,
    bytes: z.number().int().describe('Size of the file afterwards.'),
    created: z.boolean().describe('True when the file was made.'),
  }),
  annotations: changes({ destructive: false, idempotent: false }),
  run: async (args, context) => {
    const bytes = bytesOf(args.content, args.encoding, context);
    const located = await locateForWriting(args.path, args.createParents, context);
    return whileLocked(located.path, async () => {
      const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
      await using file = await openFile(located, flags);
      checkSize((await file.stat()).size + bytes.length, context);
      await file.writeFile(bytes);
      await file.sync();
      return { path: located.shown, bytes: (await file.stat()).size, created: !located.exists };
    });
  },
});

export const editFile = defineFileTool({
  name: 'edit_file',
  title: 'Edit a file',
  description:
    'Replace exact pieces of a text file, one after another, all or none, and get the change as a unified diff. Each ' +
    'oldText must occur exactly once unless replaceAll is set: take enough lines around it. With dryRun nothing is ' +
    'written. Line ends and a byte order mark stay as they are.',
  input: z.strictObject({
    path: pathShape,
    edits: z
      .array(editShape)
      .min(1)
      .max(200)
      .describe('Replacements, each applied to the result of the one before.'),
    dryRun: z.boolean().default(false).describe('Only show the diff.'),
  }),
  output: z.object({
    path: shownShape,
    replaced: z.number().int().describe('Pieces replaced.'),
    diff: z.string().describe('Unified diff; empty when nothing changes.'),
    diffTruncated: z.boolean().optional().describe('True when the diff was longer than a read may return.'),
    written: z.boolean().describe('False for a dry run or when nothing changed.'),
  }),
  annotations: changes({ destructive: true, idempotent: false }),
  run: async (args, context) => {
    const located = mustExist(await locate(args.path, context));
    return whileLocked(located.path, async () => {
      const bytes = await readWhole(located, context);
      const before = textOf(bytes, located);
      const { text: after, replaced } = applyEdits(before.text, args.edits);
      const diff = unifiedDiff(before.text, after, located.shown);
      const written = !args.dryRun && after !== before.text;
      if (written) {
        const changed = Buffer.concat([before.mark, Buffer.from(after, before.nodeEncoding)]);
        checkSize(changed.length, context);
        await mustBeUnchanged(located, bytes, context);
        await writeFileAtomically(located, changed);
      }
      const limit = context.settings.maxReadBytes;
      const truncated = diff.length > limit;
      return {
        path: located.shown,
        replaced,
        diff: truncated ? diff.slice(0, limit) : diff,
        diffTruncated: truncated || undefined,
        written,
      };
    });
  },
});

/** Another process may have written since we read: its change must not be lost. */
async function mustBeUnchanged(located: Located, bytes: Buffer, context: FileContext): Promise<void> {
  if (bytes.equals(await readWhole(located, context))) return;
  throw new ToolError(`path: ${located.shown} changed meanwhile; read it again and repeat the edit`);
}

function textOf(bytes: Buffer, located: Located) {
  const { encoding, markBytes } = detectEncoding(bytes);
  const nodeEncoding =
    encoding === 'utf-8' ? ('utf8' as const) : encoding === 'utf-16le' ? ('utf16le' as const) : undefined;
  const mark = bytes.subarray(0, markBytes);
  const text = nodeEncoding === undefined ? '' : bytes.subarray(markBytes).toString(nodeEncoding);
  // Bytes that are no text would come back changed.
  if (nodeEncoding !== undefined && Buffer.from(text, nodeEncoding).equals(bytes.subarray(markBytes))) {
    return { text, mark, nodeEncoding };
  }
  throw new ToolError(
    `path: ${located.shown} is not UTF-8 or UTF-16LE text; replace it whole with write_file`,
  );
}
