/**
 * What a commit changed, found by walking trees ourselves: nothing is read that is equal to a parent's, and
 * the caller may stop at any time, so that a tree that unfolds into billions of paths costs no more than its
 * first ones.
 */

import { AppError } from '../../kernel/errors.ts';
import type { ObjectReader } from '../git/object-reader.ts';

/** One entry of a tree. */
export interface TreeItem {
  /** As Git writes it: 40000 folder, 100644 file, 100755 program, 120000 link, 160000 submodule. */
  readonly mode: string;
  readonly id: string;
}

/** A path whose entry differs from that of all parents. */
export interface ChangedFile {
  /** Bytes that are not UTF-8 show as U+FFFD. */
  readonly path: string;
  /** Null when it is not there any more. */
  readonly now: TreeItem | null;
  /** False when no parent has something at the path. */
  readonly wasThere: boolean;
}

/** Entries of a folder by name, read once. */
export interface TreeReader {
  /** The entries of a tree; throws GIT_FAILED when it is missing. */
  read(id: string): Promise<ReadonlyMap<string, TreeItem>>;
  /** The tree of a commit; throws GIT_FAILED when it is missing. */
  rootOf(commit: string): Promise<string>;
}

const maxCachedEntries = 200_000;
/** The mode of a folder in a tree. */
export const folderMode = '40000';
/** Deeper than any path that a key can have. */
const maxDepth = 64;
const nothing: ReadonlyMap<string, TreeItem> = new Map();

/** A reader that remembers the trees it has read last. */
export function createTreeReader(reader: ObjectReader): TreeReader {
  const known = new Map<string, Promise<ReadonlyMap<string, TreeItem>>>();
  let entries = 0;

  async function load(id: string): Promise<ReadonlyMap<string, TreeItem>> {
    const tree = parseTree(await readObject(reader, id, 'tree'));
    entries += tree.size;
    return tree;
  }

  return {
    read(id) {
      if (entries > maxCachedEntries) {
        known.clear();
        entries = 0;
      }
      const tree = known.get(id) ?? load(id);
      known.set(id, tree);
      return tree;
    },
    async rootOf(commit) {
      const text = (await readObject(reader, commit, 'commit')).toString('latin1', 0, 45);
      return text.slice('tree '.length);
    },
  };
}

async function readObject(reader: ObjectReader, id: string, type: string): Promise<Buffer> {
  const object = await reader.read(id);
  if (object !== undefined && object !== 'ambiguous' && object.type === type) return object.content;
  throw new AppError('GIT_FAILED', { command: 'cat-file', problem: `${type} ${id} is missing` });
}

function parseTree(content: Buffer): Map<string, TreeItem> {
  const entries = new Map<string, TreeItem>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const end = content.indexOf(0, space);
    const name = content.toString('utf8', space + 1, end);
    const mode = content.toString('latin1', at, space);
    entries.set(name, { mode, id: content.toString('hex', end + 1, end + 21) });
    at = end + 21;
  }
  return entries;
}

/**
 * The paths at which the tree differs from all of `parents`; without parents, all of them. Throws
 * INVALID_REQUEST for a tree that is deeper than any key.
 */
export async function* changedFiles(
  trees: TreeReader,
  root: string,
  parents: readonly string[],
): AsyncGenerator<ChangedFile> {
  const bases: readonly (string | undefined)[] = parents.length === 0 ? [undefined] : parents;
  if (!bases.includes(root)) yield* walk(trees, root, bases, '');
}

async function* walk(
  trees: TreeReader,
  tree: string | undefined,
  parents: readonly (string | undefined)[],
  folder: string,
): AsyncGenerator<ChangedFile> {
  if (folder.split('/').length > maxDepth) {
    throw new AppError('INVALID_REQUEST', { problem: `${folder.slice(0, 100)}… is nested too deeply` });
  }
  const read = async (id: string | undefined) => (id === undefined ? nothing : await trees.read(id));
  const entries = await read(tree);
  const others = await Promise.all(parents.map(read));
  const names = new Set([...entries.keys(), ...others.flatMap((other) => [...other.keys()])]);
  for (const name of names) {
    const now = entries.get(name);
    const before = others.map((other) => other.get(name));
    if (before.some((item) => item?.id === now?.id && item?.mode === now?.mode)) continue;
    const path = folder + name;
    const files = before.filter((item) => item !== undefined && item.mode !== folderMode);
    if ((now && now.mode !== folderMode) || (!now && files.length > 0)) {
      const wasThere = files.length > 0;
      yield { path, now: now ?? null, wasThere };
    }
    const folders = before.map(folderIdOf);
    const below = folderIdOf(now);
    if (below !== undefined || folders.some((id) => id !== undefined)) {
      yield* walk(trees, below, folders, `${path}/`);
    }
  }
}

function folderIdOf(item: TreeItem | undefined): string | undefined {
  return item?.mode === folderMode ? item.id : undefined;
}
