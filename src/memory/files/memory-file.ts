/**
 * The content of one file of the repository: key, tags, expiry and value. Time and actor are not in it
 * (they would make every concurrent edit conflict); they come from the commits.
 */

import { hash } from 'node:crypto';
import { parse as parseYaml } from 'yaml';
import { AppError } from '../../kernel/errors.ts';
import { canonicalJson } from './canonical-json.ts';
import type { FileKind } from './key-path.ts';

/** Largest file of one memory, in bytes. */
export const maxFileBytes = 8 * 1024 * 1024;
const maxFrontMatterLength = 64 * 1024;

export interface MemoryFile {
  /** The key as the file itself has it; missing in a file that a person wrote. */
  readonly key?: string;
  readonly tags: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly expiresMs?: number;
  /** What the memory is a part of, e.g. a conversation. */
  readonly thread?: string;
  /** Its place there; a whole number. */
  readonly sequence?: number;
  readonly value: unknown;
}

/** Text is kept as Markdown, everything else as JSON. */
export function kindOf(value: unknown): FileKind {
  return typeof value === 'string' ? 'text' : 'json';
}

/** Bytes of a file; the value must be plain JSON or well-formed text. Throws PAYLOAD_TOO_LARGE over 8 MiB. */
export function encodeMemoryFile(file: MemoryFile & { readonly key: string }): Buffer {
  const expiresAt = file.expiresMs === undefined ? undefined : new Date(file.expiresMs).toISOString();
  const text =
    typeof file.value === 'string'
      ? encodeMarkdown(file, expiresAt, file.value)
      : encodeEnvelope(file, expiresAt, file.value);
  return requireFits(Buffer.from(text, 'utf8'));
}

type NamedFile = MemoryFile & { readonly key: string };

/** The JSON form for any value, text too, of any size. */
export function encodeJsonEnvelope(file: NamedFile): Buffer {
  const expiresAt = file.expiresMs === undefined ? undefined : new Date(file.expiresMs).toISOString();
  return Buffer.from(encodeEnvelope(file, expiresAt, file.value), 'utf8');
}

/** The bytes themselves. Throws PAYLOAD_TOO_LARGE over 8 MiB. */
export function requireFits(bytes: Buffer): Buffer {
  if (bytes.length <= maxFileBytes) return bytes;
  const data = { what: 'the memory', bytes: bytes.length, limitBytes: maxFileBytes };
  throw new AppError('PAYLOAD_TOO_LARGE', data);
}

/** The canonical JSON of the file's fields, in their order. */
function encodeEnvelope(file: NamedFile, expiresAt: string | undefined, value: unknown) {
  const { key, tags, thread, sequence } = file;
  let text = '{\n';
  if (expiresAt !== undefined) text += `  "expiresAt": ${JSON.stringify(expiresAt)},\n`;
  text += `  "key": ${JSON.stringify(key)},\n`;
  if (sequence !== undefined) text += `  "sequence": ${JSON.stringify(sequence)},\n`;
  if (tags.length > 0) text += `  "tags": ${canonicalJson(tags, '  ')},\n`;
  if (thread !== undefined) text += `  "thread": ${JSON.stringify(thread)},\n`;
  return `${text}  "value": ${canonicalJson(value, '  ')}\n}\n`;
}

/** The text gets one newline at its end, which reading takes off again, so that any text comes back as it was. */
function encodeMarkdown(file: NamedFile, expiresAt: string | undefined, text: string) {
  const { key, tags, thread, sequence } = file;
  const lines = ['---'];
  if (expiresAt !== undefined) lines.push(`expiresAt: ${JSON.stringify(expiresAt)}`);
  lines.push(`key: ${JSON.stringify(key)}`);
  if (sequence !== undefined) lines.push(`sequence: ${sequence}`);
  if (tags.length > 0) lines.push('tags:', ...tags.map((tag) => `  - ${JSON.stringify(tag)}`));
  if (thread !== undefined) lines.push(`thread: ${JSON.stringify(thread)}`);
  lines.push('---');
  return `${lines.join('\n')}\n${text}\n`;
}

/** Reads a file of ours, or one that a person wrote or edited; never throws, what is not understood is text. */
export function decodeMemoryFile(kind: FileKind, bytes: Uint8Array): MemoryFile {
  const text = new TextDecoder('utf-8', { ignoreBOM: false }).decode(bytes);
  return kind === 'json' ? decodeEnvelope(text) : decodeMarkdown(text);
}

const envelopeFields = new Set(['expiresAt', 'key', 'sequence', 'tags', 'thread', 'value']);

function decodeEnvelope(text: string): MemoryFile {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return { tags: [], value: text };
  }
  if (!isRecord(data) || typeof data['key'] !== 'string' || !Object.hasOwn(data, 'value')) {
    return { tags: [], value: data };
  }
  if (Object.keys(data).some((field) => !envelopeFields.has(field))) return { tags: [], value: data };
  return { ...readHead(data), value: data['value'] };
}

const frontMatterPattern = /^---\r?\n([\s\S]*?)(?<=\n)---\r?(?:\n|$)/;

/** The YAML between the two lines of dashes at the beginning; undefined when there is none. */
export function frontMatterOf(text: string): string | undefined {
  return frontMatterPattern.exec(text.slice(0, maxFrontMatterLength))?.[1];
}

function decodeMarkdown(text: string): MemoryFile {
  const match = frontMatterPattern.exec(text.slice(0, maxFrontMatterLength));
  const body = (match ? text.slice(match[0].length) : text).replace(/\n$/, '');
  if (!match) return { tags: [], value: body };
  return { ...readHead(readFrontMatter(match[1] ?? '')), value: body };
}

/** Our own lines are JSON strings and read without the YAML parser; people may write any YAML. */
function readOwnFrontMatter(text: string): Record<string, unknown> | undefined {
  const data: Record<string, unknown> = {};
  const tags: unknown[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, name, quoted] =
      /^(key: |expiresAt: |sequence: |tags:|thread: |  - )(".*"|-?\d+)?$/.exec(line) ?? [];
    if (name === undefined || (quoted === undefined) !== (name === 'tags:')) return undefined;
    if (quoted === undefined) data['tags'] = tags;
    else if (name === '  - ') tags.push(JSON.parse(quoted));
    else data[name.slice(0, -2)] = JSON.parse(quoted);
  }
  return data;
}

function readFrontMatter(text: string): Record<string, unknown> {
  try {
    const own = readOwnFrontMatter(text);
    if (own) return own;
  } catch {
    // Not our form after all: the YAML parser decides.
  }
  try {
    const data: unknown = parseYaml(text, { maxAliasCount: 0, logLevel: 'silent' });
    return isRecord(data) ? data : {};
  } catch {
    return {};
  }
}

function readHead(data: Record<string, unknown>): Omit<MemoryFile, 'value'> {
  const { key, tags, expiresAt, thread, sequence } = data;
  const expiresMs = typeof expiresAt === 'string' ? Date.parse(expiresAt) : Number.NaN;
  const list = typeof tags === 'string' ? [tags] : tags;
  return {
    ...(typeof key === 'string' && { key }),
    tags: Array.isArray(list) ? normalizeTags(list.filter((tag) => typeof tag === 'string')) : [],
    ...(!Number.isNaN(expiresMs) && { expiresMs }),
    ...(typeof thread === 'string' && { thread: thread.toWellFormed().normalize('NFC') }),
    ...(Number.isSafeInteger(sequence) && { sequence: sequence as number }),
  };
}

/** Tags as a sorted set in NFC. */
export function normalizeTags(tags: readonly string[]): string[] {
  return [...new Set(tags.map((tag) => tag.toWellFormed().normalize('NFC')))].sort();
}

/** Most values fit, and need no memory of their own for their hash. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** The Git blob id of a file's bytes, 40 hex digits: the etag. */
export function blobId(bytes: Uint8Array): string {
  const head = `blob ${bytes.length}\0`;
  const size = head.length + bytes.length;
  const object = size <= scratch.length ? scratch.subarray(0, size) : Buffer.allocUnsafe(size);
  object.write(head, 'latin1');
  object.set(bytes, head.length);
  return hash('sha1', object, 'hex');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
