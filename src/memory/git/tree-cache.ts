/** The tree of main in memory: folders are read when a write first touches them and written when changed. */

import { AppError } from '../../kernel/errors.ts';
import type { ObjectReader } from './object-reader.ts';
import type { DeltaBase } from './pack-builder.ts';

interface TreeEntry {
  /** Bytes of the name as Latin-1 characters, so that string order is byte order. */
  readonly name: string;
  mode: string;
  id: Buffer;
  /** The folder's own entries once they were read. */
  child?: TreeNode;
}

interface TreeNode {
  /** In Git's order: by bytes, a folder as if its name ended in a slash. */
  readonly entries: TreeEntry[];
  dirty: boolean;
  /** As it was last written, for the delta of the next version. */
  written?: DeltaBase;
}

/** Adds a tree object, with its last version where there is one. */
type AddTree = (content: Buffer, base: DeltaBase | undefined) => Buffer;

const folderMode = '40000';
const fileMode = '100644';
const noId = Buffer.alloc(20);

export interface TreeCache {
  /** Puts a file; a folder or file of the same name gives way. */
  putFile(path: string, blobId: Buffer): Promise<void>;
  /** Takes a file away, and the folders that it leaves empty. */
  removeFile(path: string): Promise<void>;
  /** Writes changed folders through `add` and returns the root's id. */
  write(add: AddTree): Buffer;
  /** Entries held in memory, about 150 bytes each. */
  readonly size: number;
}

/** The tree with the given root, null for an empty one. */
export async function createTreeCache(reader: ObjectReader, rootId: string | null): Promise<TreeCache> {
  let size = 0;

  async function load(id: string): Promise<TreeNode> {
    const object = await reader.read(id);
    if (object === undefined || object === 'ambiguous' || object.type !== 'tree') {
      throw new AppError('GIT_FAILED', { command: 'cat-file', problem: `tree ${id} is missing` });
    }
    const entries = parseTree(object.content);
    size += entries.length;
    return { entries, dirty: false };
  }

  async function folderOf(node: TreeNode, name: string): Promise<TreeNode | undefined> {
    const entry = node.entries[position(node, name, true)];
    if (!entry || entry.name !== name || entry.mode !== folderMode) return undefined;
    entry.child ??= await load(entry.id.toString('hex'));
    return entry.child;
  }

  function drop(node: TreeNode, name: string, asFolder: boolean): boolean {
    const at = position(node, name, asFolder);
    const entry = node.entries[at];
    if (!entry || entry.name !== name || (entry.mode === folderMode) !== asFolder) return false;
    node.entries.splice(at, 1);
    size -= 1;
    return true;
  }

  function insert(node: TreeNode, entry: TreeEntry): void {
    node.entries.splice(position(node, entry.name, entry.mode === folderMode), 0, entry);
    size += 1;
  }

  const root: TreeNode = rootId === null ? { entries: [], dirty: true } : await load(rootId);

  return {
    async putFile(path, blobId) {
      const names = toNames(path);
      const last = names.pop() ?? '';
      let node = root;
      for (const name of names) {
        node.dirty = true;
        let child = await folderOf(node, name);
        if (!child) {
          drop(node, name, false);
          child = { entries: [], dirty: true };
          insert(node, { name, mode: folderMode, id: noId, child });
        }
        node = child;
      }
      node.dirty = true;
      drop(node, last, true);
      const at = position(node, last, false);
      const entry = node.entries[at];
      if (entry?.name === last) Object.assign(entry, { id: blobId, mode: fileMode });
      else insert(node, { name: last, mode: fileMode, id: blobId });
    },
    async removeFile(path) {
      const names = toNames(path);
      const last = names.pop() ?? '';
      const nodes: TreeNode[] = [root];
      for (const name of names) {
        const child = await folderOf(nodes.at(-1) ?? root, name);
        if (!child) return;
        nodes.push(child);
      }
      if (!drop(nodes.at(-1) ?? root, last, false)) return;
      for (const node of nodes) node.dirty = true;
      for (let i = nodes.length - 1; i > 0 && nodes[i]?.entries.length === 0; i--) {
        drop(nodes[i - 1] ?? root, names[i - 1] ?? '', true);
      }
    },
    write: (add) => writeNode(root, add),
    get size() {
      return size;
    },
  };
}

function writeNode(node: TreeNode, add: AddTree): Buffer {
  let bytes = 0;
  for (const entry of node.entries) {
    if (entry.child?.dirty) entry.id = writeNode(entry.child, add);
    bytes += entry.mode.length + entry.name.length + 22;
  }
  const content = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const { mode, name, id } of node.entries) {
    at += content.write(`${mode} ${name}\0`, at, 'latin1');
    at += id.copy(content, at);
  }
  node.dirty = false;
  const id = add(content, node.written);
  node.written = { id, content };
  return id;
}

function toNames(path: string): string[] {
  return path.split('/').map((name) => Buffer.from(name, 'utf8').toString('latin1'));
}

/** Where an entry of that name and sort is or belongs. */
function position(node: TreeNode, name: string, asFolder: boolean): number {
  const wanted = asFolder ? `${name}/` : name;
  let low = 0;
  let high = node.entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = node.entries[middle];
    if (entry && sortName(entry) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sortName(entry: TreeEntry): string {
  return entry.mode === folderMode ? `${entry.name}/` : entry.name;
}

function parseTree(content: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(32, at);
    const end = content.indexOf(0, space);
    const mode = content.toString('latin1', at, space);
    const name = content.toString('latin1', space + 1, end);
    entries.push({ name, mode, id: content.subarray(end + 1, end + 21) });
    at = end + 21;
  }
  return entries;
}
