/** Walks a folder in name order, never through a link, with bounds. */

import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { GlobMatcher } from './glob.ts';
import type { Located } from './path-guard.ts';
import { inFolder } from './pinned-folder.ts';

export interface WalkOptions {
  /** 1 is the folder itself only. */
  readonly maxDepth: number;
  /** Entries that are left out, with all below them; the path is relative to the start. */
  readonly exclude: GlobMatcher;
  readonly signal: AbortSignal;
}

export interface WalkEntry {
  readonly entry: Dirent;
  /** Absolute. */
  readonly path: string;
  /** Relative to the start, with `/`. */
  readonly relative: string;
  /** From 1. */
  readonly depth: number;
}

/** Yields each entry before what is in it; folders that cannot be read count as empty. */
export async function* walkFolder(start: Located, options: WalkOptions): AsyncGenerator<WalkEntry> {
  const stack = [await entriesOf(start, start.path, '', 1)];
  while (stack.length > 0) {
    options.signal.throwIfAborted();
    const found = stack.at(-1)!.pop();
    if (!found) {
      stack.pop();
      continue;
    }
    if (options.exclude(found.relative)) continue;
    yield found;
    if (found.entry.isDirectory() && found.depth < options.maxDepth) {
      stack.push(await entriesOf(start, found.path, `${found.relative}/`, found.depth + 1));
    }
  }
}

/** The entries of a folder, last name first: they are taken from the end. */
async function entriesOf(
  start: Located,
  folder: string,
  prefix: string,
  depth: number,
): Promise<WalkEntry[]> {
  const reading = inFolder(folder, start, (at) => readdir(at, { withFileTypes: true }));
  const entries = await reading.catch(() => []);
  entries.sort((a, b) => (a.name < b.name ? 1 : -1));
  return entries.map((entry) => ({
    entry,
    path: join(folder, entry.name),
    relative: prefix + entry.name,
    depth,
  }));
}
