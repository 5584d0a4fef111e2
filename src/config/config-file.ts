/** Reads a config file, YAML or JSON, and knows at which line each value stands. */

import { readFile, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { AppError, messageOf } from '../kernel/errors.ts';
import { isJsonObject, type JsonObject } from '../kernel/json-rpc.ts';
import { parseJsonc, stripJsonComments } from './jsonc.ts';

/** Keys and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** A parsed config file. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  readonly value: JsonObject;
  /** 1-based line of a value, or of the nearest thing around it that the file has; undefined for an empty path. */
  lineOf(path: Path): number | undefined;
}

/** Names looked for when no file is given, in this order. */
export const defaultFileNames = [
  'git-memory.config.yaml',
  'git-memory.config.yml',
  'git-memory.config.json',
] as const;

const maxBytes = 4 * 1024 * 1024;
/** Enough for anchors people write; refuses documents that blow up when expanded. */
const maxAliasCount = 100;

/** The first default config file in a folder; undefined if there is none. */
export async function findConfigFile(folder: string): Promise<string | undefined> {
  for (const name of defaultFileNames) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) return path;
  }
  return undefined;
}

function invalid(file: string, problem: string, line?: number): AppError {
  const place = line === undefined ? '' : `line ${line}: `;
  return new AppError('CONFIG_INVALID', {
    file,
    problem: place + problem,
    ...(line !== undefined && { line }),
  });
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes)
      throw new AppError('CONFIG_INVALID', { file: path, problem: `is larger than ${maxBytes} bytes` });
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (error instanceof TypeError) throw invalid(path, 'is not UTF-8 text');
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw invalid(
      path,
      isMissing ? 'there is no such file; write one with: git-memory-mcp init' : messageOf(error),
    );
  }
}

/** The line of the key (or item) a path leads to. */
function lineIn(document: Document, lines: LineCounter, path: Path): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const items: readonly unknown[] =
      typeof parent === 'object' && parent !== null && 'items' in parent && Array.isArray(parent.items)
        ? parent.items
        : [];
    for (const [index, item] of items.entries()) {
      const node: unknown = typeof item === 'object' && item !== null && 'key' in item ? item.key : item;
      const name =
        typeof node === 'object' && node !== null && 'value' in node && node !== item ? node.value : index;
      if (String(name) === String(last) && isNode(node) && node.range)
        return lines.linePos(node.range[0]).line;
    }
  }
  return undefined;
}

/** Where the first key stands that its map has already; undefined when there is none. */
function offsetOfRepeatedKey(document: Document): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          offset = key.range?.[0];
          return visit.BREAK;
        }
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return offset;
}

/** Reads and parses; throws CONFIG_INVALID with the line where it can. */
export async function readConfigFile(file: string): Promise<ConfigFile> {
  const path = resolve(file);
  const text = await readText(path);
  const isJson = extname(path).toLowerCase() === '.json';
  const lines = new LineCounter();
  const document = parseDocument(isJson ? stripJsonComments(text) : text, {
    lineCounter: lines,
    prettyErrors: false,
    // The library compares each key with every other one: seconds for a map of ten thousand servers.
    uniqueKeys: false,
  });
  let value: unknown;
  if (isJson) value = parseJsonc(text, path);
  else {
    const [problem] = document.errors;
    if (problem) throw invalid(path, problem.message, lines.linePos(problem.pos[0]).line);
    const repeatedAt = offsetOfRepeatedKey(document);
    if (repeatedAt !== undefined)
      throw invalid(path, 'Map keys must be unique', lines.linePos(repeatedAt).line);
    try {
      value = (document.toJS({ maxAliasCount }) as unknown) ?? {};
    } catch (error) {
      throw invalid(path, messageOf(error));
    }
  }
  if (!isJsonObject(value)) throw invalid(path, 'has to be a map of settings at its top');
  return { path, value, lineOf: (place) => lineIn(document, lines, place) };
}
