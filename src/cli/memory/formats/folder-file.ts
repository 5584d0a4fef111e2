/**
 * One file of a folder: text as Markdown that opens in Obsidian, anything else as JSON. Front matter is written only
 * where text alone would not come back as it was; front matter of other programs stays a part of the text.
 */

import { parse as parseYaml } from 'yaml';
import { messageOf } from '../../../kernel/errors.ts';
import { isJsonObject } from '../../../kernel/json-rpc.ts';
import { keyOfPath } from './folder-names.ts';
import { badInput, type MemoryEntry, readPosition, tagSet } from './memory-entry.ts';

const maxFrontMatterLength = 64 * 1024;
const ownFields = new Set(['memory-key', 'memory-tags', 'memory-thread', 'memory-sequence', 'tags']);

/** A tag in the letters that Obsidian allows: no spaces, few signs, not only digits. */
export function obsidianTag(tag: string): string {
  const form = tag.normalize('NFC').replaceAll(/[^\p{L}\p{M}\p{N}\p{Extended_Pictographic}_/-]/gu, '-');
  return /^\d*$/.test(form) ? `_${form}` : form;
}

/** YAML double-quoted text: JSON, with what YAML does not print escaped as well. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function list(name: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${name}:`, ...items.map((item) => `  - ${quoted(item)}`)];
}

/** The text of a memory's Markdown file; `isKeyKept` when its path does not say the key. */
export function encodeMarkdown(
  { key, value: text, tags, thread, sequence }: MemoryEntry & { readonly value: string },
  isKeyKept: boolean,
): string {
  const wanted = tagSet(tags);
  const hasPosition = thread !== undefined || sequence !== undefined;
  if (!isKeyKept && !hasPosition) {
    const plain = readMarkdown(text);
    if (plain.key === undefined && plain.text === text && plain.tags.join('\0') === wanted.join('\0'))
      return text;
  }
  const forms = tagSet(wanted.map(obsidianTag));
  const lines = [
    // A block needs a field to be known as ours.
    ...(isKeyKept || (wanted.length === 0 && !hasPosition) ? [`memory-key: ${quoted(key)}`] : []),
    ...list('tags', forms),
    ...(wanted.some((tag) => obsidianTag(tag) !== tag) ? list('memory-tags', wanted) : []),
    ...(thread === undefined ? [] : [`memory-thread: ${quoted(thread)}`]),
    ...(sequence === undefined ? [] : [`memory-sequence: ${sequence}`]),
  ];
  return `---\n${lines.join('\n')}\n---\n${text}`;
}

interface MarkdownFile extends Pick<MemoryEntry, 'tags' | 'thread' | 'sequence'> {
  readonly key?: string;
  readonly text: string;
}

function readFrontMatter(text: string): { fields: Record<string, unknown>; length: number } | undefined {
  const match = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)(?<=\n)---[ \t]*(?:\r?\n|$)/.exec(
    text.slice(0, maxFrontMatterLength),
  );
  if (!match) return undefined;
  try {
    const fields: unknown = parseYaml(match[1] ?? '', { maxAliasCount: 0, logLevel: 'silent' });
    return isJsonObject(fields) ? { fields, length: match[0].length } : undefined;
  } catch {
    // Not YAML, so it is text.
    return undefined;
  }
}

/** Tags as people write them: a list, or one text with commas or spaces; a leading # is taken off. */
function readTags(value: unknown): string[] {
  const items: unknown[] =
    typeof value === 'string' ? value.split(/[,\s]+/) : Array.isArray(value) ? value : [value];
  return items
    .filter((item) => typeof item === 'string' || typeof item === 'number')
    .map((item) => String(item).trim().replace(/^#/, ''))
    .filter((item) => item !== '');
}

/** The exact tags, as far as they are still among those that Obsidian shows, and those that were added there. */
function mergeTags(fields: Readonly<Record<string, unknown>>): string[] {
  const shown = readTags(fields['tags'] ?? fields['tag']);
  const stored: unknown = fields['memory-tags'];
  const exact = Array.isArray(stored) ? stored.filter((tag) => typeof tag === 'string') : [];
  const forms = new Set(exact.map(obsidianTag));
  return tagSet([
    ...exact.filter((tag) => shown.includes(obsidianTag(tag))),
    ...shown.filter((tag) => !forms.has(tag)),
  ]);
}

function readMarkdown(text: string): MarkdownFile {
  const front = readFrontMatter(text);
  if (!front) return { tags: [], text };
  const { fields, length } = front;
  const key: unknown = fields['memory-key'];
  const position = readPosition(fields['memory-thread'], fields['memory-sequence']);
  const isOurs = position !== undefined && Object.keys(fields).every((name) => ownFields.has(name));
  return {
    ...(typeof key === 'string' && { key }),
    ...position,
    tags: mergeTags(fields),
    text: isOurs ? text.slice(length) : text,
  };
}

/** The memory of a Markdown file; its key is the one it holds, else its path. */
export function decodeMarkdown(path: string, text: string): MemoryEntry {
  const { key, text: value, ...rest } = readMarkdown(text);
  return { key: key ?? keyOfPath(path), ...rest, value };
}

/** The text of a memory's JSON file: always in an envelope, so that a value that looks like one comes back too. */
export function encodeJsonFile({ key, value, tags, thread, sequence }: MemoryEntry): string {
  const envelope = { key, ...(tags.length > 0 && { tags: tagSet(tags) }), thread, sequence, value };
  return `${JSON.stringify(envelope, null, 2)}\n`;
}

const envelopeFields = new Set(['key', 'tags', 'thread', 'sequence', 'value']);

/** The memory of a JSON file, in our envelope or of any kind. Throws INVALID_INPUT naming the place. */
export function decodeJsonFile(path: string, text: string, place: string): MemoryEntry {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw badInput(place, `is not JSON: ${messageOf(error)}`);
  }
  const raw = { key: keyOfPath(path), tags: [], value };
  if (!isJsonObject(value) || typeof value['key'] !== 'string' || !Object.hasOwn(value, 'value')) return raw;
  if (Object.keys(value).some((field) => !envelopeFields.has(field))) return raw;
  const position = readPosition(value['thread'], value['sequence']);
  if (!position) return raw;
  const tags: unknown = value['tags'];
  return {
    key: value['key'],
    ...position,
    tags: Array.isArray(tags) ? tagSet(tags.filter((tag) => typeof tag === 'string')) : [],
    value: value['value'],
  };
}
