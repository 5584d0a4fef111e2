/** Merges the bytes of a file: a memory by its parts, other text by line, anything else as a whole. */

import { isUtf8 } from 'node:buffer';
import { isAppError } from '../../kernel/errors.ts';
import { type FileKind, kindOfPath, needsStoredKey } from '../files/key-path.ts';
import { encodeMemoryFile, maxFileBytes } from '../files/memory-file.ts';
import type { FileCodec, SealableFile } from '../encryption/file-codec.ts';
import { mergeMemoryFile } from './merge-memory-file.ts';
import { mergeText } from './merge-text.ts';
import type { ConflictKind, MergeContext, PlaceConflict } from './merge-type.ts';

/** A file as one side has it. */
export interface FileContent {
  readonly path: string;
  readonly content: Buffer;
}

export interface MergedContent {
  /** Undefined when the whole of the newer side is kept. */
  readonly content?: Buffer;
  /** The kind that the merged content has. */
  readonly kind?: FileKind;
  readonly conflicts: readonly PlaceConflict[];
}

/** What the files are: those of a memory, or of none. */
export interface MergeSubject {
  readonly memory?: { readonly scope: string; readonly key: string } | undefined;
  readonly codec: FileCodec;
}

/** Merges two files that are there. Sealed ones that cannot be opened stay whole: the newer one counts. */
export function mergeContent(
  { memory, codec }: MergeSubject,
  base: FileContent | undefined,
  ours: FileContent,
  theirs: FileContent,
  context: MergeContext,
): MergedContent {
  const files = [base, ours, theirs].filter((file) => file !== undefined);
  if (files.some(({ content }) => !isText(content))) return wholeFile('file');
  try {
    const opened = memory && openAll({ memory, codec }, base, ours, theirs);
    if (opened === 'sealed') return wholeFile('value');
    if (memory && opened) {
      const merged = mergeMemoryFile(opened.base, opened.ours, opened.theirs, context);
      const { bytes, kind } = codec.encode(memory.scope, { ...merged.value, key: memory.key });
      return { content: bytes, kind, conflicts: merged.conflicts };
    }
    if (kindOfPath(ours.path) !== kindOfPath(theirs.path)) return wholeFile('type');
    const text = (file: FileContent) => file.content.toString('utf8');
    const merged = mergeText(base && text(base), text(ours), text(theirs), { ...context, isAppend: false });
    const content = Buffer.from(merged.value, 'utf8');
    if (content.length > maxFileBytes) return wholeFile('file');
    return { content, kind: kindOfPath(ours.path), conflicts: merged.conflicts };
  } catch (error) {
    // Nested too deeply for recursion, or too long when merged.
    if (error instanceof RangeError || isAppError(error)) return wholeFile('value');
    throw error;
  }
}

function wholeFile(kind: ConflictKind): MergedContent {
  return { conflicts: [{ kind, pointer: '' }] };
}

function isText(content: Buffer): boolean {
  return content.length <= maxFileBytes && isUtf8(content) && !content.includes(0);
}

interface Opened {
  readonly base: SealableFile | undefined;
  readonly ours: SealableFile;
  readonly theirs: SealableFile;
}

/** The files as memories; undefined when reading one so would lose something of it. */
function openAll(
  subject: Required<MergeSubject> & { readonly memory: { readonly scope: string; readonly key: string } },
  base: FileContent | undefined,
  ours: FileContent,
  theirs: FileContent,
): Opened | 'sealed' | undefined {
  const [before, left, right] = [base, ours, theirs].map((file) => file && openOne(subject, file));
  if (before === 'sealed' || left === 'sealed' || right === 'sealed') return 'sealed';
  return left && right && (before || !base) ? { base: before, ours: left, theirs: right } : undefined;
}

/** A file as a memory, unless it has front matter of people's own, or broken JSON. */
function openOne(
  {
    memory,
    codec,
  }: { readonly memory: { readonly scope: string; readonly key: string }; readonly codec: FileCodec },
  { path, content }: FileContent,
): SealableFile | 'sealed' | undefined {
  const { file, kid } = codec.inspect(memory.scope, path, content);
  if (!file) return 'sealed';
  if (kid !== undefined) return file;
  if (kindOfPath(path) === 'json') return typeof file.value === 'string' ? undefined : file;
  if (encodeMemoryFile({ ...file, key: memory.key }).equals(content)) return file;
  return !needsStoredKey(path) && isPlainText(content) ? file : undefined;
}

/** Text without front matter and with line feeds only, as people write it by hand. */
function isPlainText(content: Buffer): boolean {
  return (
    content.at(-1) === 10 && !content.includes('\r') && !content.subarray(0, 3).equals(Buffer.from('---'))
  );
}
