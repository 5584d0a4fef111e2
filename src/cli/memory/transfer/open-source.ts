/** What is imported: a folder or a file, read as often as needed, with bounded memory. */

import { opendir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { AppError, messageOf } from '../../../kernel/errors.ts';
import { isJsonObject } from '../../../kernel/json-rpc.ts';
import { decodeJsonFile, decodeMarkdown } from '../formats/folder-file.ts';
import { decodeJsonLine, parseLine } from '../formats/json-lines.ts';
import { createGraphReader } from '../formats/knowledge-graph.ts';
import { badInput, type MemoryEntry } from '../formats/memory-entry.ts';
import { readLines } from './read-lines.ts';

/** Formats that memories can have outside. */
export const memoryFormats = ['folder', 'jsonl', 'knowledge-graph'] as const;
export type MemoryFormat = (typeof memoryFormats)[number];

/** An entry with where it stands, for messages. */
export interface PlacedEntry {
  readonly entry: MemoryEntry;
  readonly place: string;
}

/** An import source; each call of `entries` reads it anew. */
export interface Source {
  readonly format: MemoryFormat;
  entries(): AsyncGenerator<PlacedEntry>;
}

/** The coordinator takes no larger memory; escapes in JSON may double it. */
const maxFileBytes = 16 * 1024 * 1024;

/** Files below a folder in name order, with `/`. Hidden ones (.obsidian, .git, .trash) and links are left out. */
async function* findFiles(root: string, below = ''): AsyncGenerator<string> {
  const found: { name: string; isFolder: boolean }[] = [];
  for await (const item of await opendir(join(root, below))) {
    if (item.name.startsWith('.') || !(item.isDirectory() || item.isFile())) continue;
    found.push({ name: item.name, isFolder: item.isDirectory() });
  }
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, isFolder } of found) {
    if (isFolder) yield* findFiles(root, `${below}${name}/`);
    else yield below + name;
  }
}

async function readText(path: string, place: string): Promise<string> {
  const { size } = await stat(path);
  if (size > maxFileBytes) {
    throw new AppError('PAYLOAD_TOO_LARGE', { what: place, bytes: size, limitBytes: maxFileBytes });
  }
  try {
    // A byte order mark stays: without it the text would not come back as it was.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    throw badInput(place, error instanceof TypeError ? 'is not UTF-8' : messageOf(error));
  }
}

async function* readFolder(root: string): AsyncGenerator<PlacedEntry> {
  for await (const path of findFiles(root)) {
    const ending = extname(path).toLowerCase();
    const place = join(root, path);
    if (ending === '.md') yield { place, entry: decodeMarkdown(path, await readText(place, place)) };
    if (ending === '.json') yield { place, entry: decodeJsonFile(path, await readText(place, place), place) };
  }
}

async function* readJsonLines(path: string): AsyncGenerator<PlacedEntry> {
  for await (const { text, place } of readLines(path, basename(path)))
    yield { place, entry: decodeJsonLine(text, place) };
}

async function* readGraph(path: string): AsyncGenerator<PlacedEntry> {
  const reader = createGraphReader();
  const name = basename(path);
  for await (const { text, place } of readLines(path, name)) reader.add(text, place);
  for (const entry of reader.entries('')) yield { entry, place: `${name} (${entry.key})` };
}

/** The first line tells a graph from other JSON Lines. */
async function sniff(path: string): Promise<MemoryFormat> {
  for await (const { text, place } of readLines(path, basename(path))) {
    const value = parseLine(text, place);
    return isJsonObject(value) && !('key' in value) && 'type' in value ? 'knowledge-graph' : 'jsonl';
  }
  return 'jsonl';
}

/** Opens a source; its format is found out unless given. Throws INVALID_INPUT when it is not there or of another kind. */
export async function openSource(path: string, format?: MemoryFormat): Promise<Source> {
  const info = await stat(path).catch((error: unknown) => {
    throw badInput('source', messageOf(error));
  });
  const isFolder = info.isDirectory();
  if (format !== undefined && (format === 'folder') !== isFolder) {
    throw badInput(
      'source',
      `${path} is ${isFolder ? 'a folder' : 'no folder'}, which --format ${format} cannot read`,
    );
  }
  const chosen = format ?? (isFolder ? 'folder' : await sniff(path));
  const readers = { folder: readFolder, jsonl: readJsonLines, 'knowledge-graph': readGraph };
  return { format: chosen, entries: () => readers[chosen](path) };
}
