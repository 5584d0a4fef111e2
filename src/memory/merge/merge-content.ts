/** Merges the bytes of a file: a memory by its parts, other text by line, anything else as a whole. */

import { isUtf8 } from 'node:buffer';
import { isAppError } from '../../kernel/errors.ts';
import { type FileKind, kindOfPath, needsStoredKey } from '../files/key-path.ts';
import {
  type MemoryFile,
  decodeMemoryFile,
  encodeMemoryFile,
  kindOf,
  maxFileBytes,
} from '../files/memory-file.ts';
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

/** A memory's file; `key` is undefined for a file that is none. Both sides are there. */
export function mergeContent(
  key: string | undefined,
  base: FileContent | undefined,
  ours: FileContent,
  theirs: FileContent,
  context: MergeContext,
): MergedContent {
  const files = [base, ours, theirs].filter((file) => file !== undefined);
  if (files.some(({ content }) => !isText(content))) return wholeFile('file');
  try {
    if (key !== undefined && files.every((file) => isStructured(file, key))) {
      return mergeMemory(key, base, ours, theirs, context);
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

function mergeMemory(
  key: string,
  base: FileContent | undefined,
  ours: FileContent,
  theirs: FileContent,
  context: MergeContext,
): MergedContent {
  const merged = mergeMemoryFile(base && decode(base), decode(ours), decode(theirs), context);
  const content = encodeMemoryFile({ ...merged.value, key });
  return { content, kind: kindOf(merged.value.value), conflicts: merged.conflicts };
}

function decode({ path, content }: FileContent): MemoryFile {
  return decodeMemoryFile(kindOfPath(path), content);
}

/** True when nothing of the file is lost by reading it as a memory: no front matter of people's own, no broken JSON. */
function isStructured(file: FileContent, key: string): boolean {
  const memory = decode(file);
  if (kindOfPath(file.path) === 'json') return typeof memory.value !== 'string';
  if (encodeMemoryFile({ ...memory, key }).equals(file.content)) return true;
  return !needsStoredKey(file.path) && isPlainText(file.content);
}

/** Text without front matter and with line feeds only, as people write it by hand. */
function isPlainText(content: Buffer): boolean {
  return (
    content.at(-1) === 10 && !content.includes('\r') && !content.subarray(0, 3).equals(Buffer.from('---'))
  );
}
