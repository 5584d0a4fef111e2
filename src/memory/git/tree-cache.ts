/** The tree of main in memory: folders are read when a write first touches them and written when changed. */

import { AppError } from '../../kernel/errors.ts';
import type { ObjectReader } from './object-reader.ts';
import type { DeltaBase } from './pack-builder.ts';
import { TreeNode, fileMode } from './tree-node.ts';

/** Adds a tree object, with what it shares with its last version where there is one. */
type AddTree = (id: Buffer, content: Buffer, base: DeltaBase | undefined) => void;

/** Begins a path that is no UTF-8; the rest is its bytes as Latin-1 characters. */
export const rawPathMark = '\0';

const noId = Buffer.alloc(20);

export interface TreeCache {
  /** Puts a file, a plain one unless a mode says otherwise; a folder or file of the same name gives way. */
  putFile(path: string, blobId: Buffer, mode?: string): Promise<void>;
  /** Takes a file away, and the folders that it leaves empty. */
  removeFile(path: string): Promise<void>;
  /** Writes changed folders through `add` and returns the root's id. */
  write(add: AddTree): Buffer;
  /** Entries held in memory, about 100 bytes each. */
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
    const node = new TreeNode({ id: Buffer.from(id, 'hex'), bytes: object.content });
    size += node.size;
    return node;
  }

  async function folderOf(node: TreeNode, name: string): Promise<TreeNode | undefined> {
    const known = node.children.get(name);
    if (known) return known;
    const id = node.idOf(name);
    if (!id) return undefined;
    const child = await load(id.toString('hex'));
    node.children.set(name, child);
    return child;
  }

  function drop(node: TreeNode, name: string): boolean {
    const isGone = node.remove(name);
    if (isGone) size -= 1;
    return isGone;
  }

  function makeFolder(node: TreeNode, name: string): TreeNode {
    drop(node, name.slice(0, -1));
    const child = new TreeNode();
    node.put(name, noId);
    node.children.set(name, child);
    size += 1;
    return child;
  }

  const root = rootId === null ? new TreeNode() : await load(rootId);
  let rootBytes: Buffer | undefined = rootId === null ? undefined : Buffer.from(rootId, 'hex');

  return {
    async putFile(path, blobId, mode = fileMode) {
      const names = toNames(path);
      const last = names.pop() ?? '';
      let node = root;
      rootBytes = undefined;
      for (const name of names) {
        const child = (await folderOf(node, name)) ?? makeFolder(node, name);
        node.dirtyChildren.add(name);
        node = child;
      }
      drop(node, `${last}/`);
      if (!node.has(last)) size += 1;
      node.put(last, blobId, mode);
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
      if (!drop(nodes.at(-1) ?? root, last)) return;
      rootBytes = undefined;
      for (const [i, name] of names.entries()) nodes[i]?.dirtyChildren.add(name);
      for (let i = nodes.length - 1; i > 0 && nodes[i]?.size === 0; i--) {
        drop(nodes[i - 1] ?? root, names[i - 1] ?? '');
      }
    },
    write(add) {
      rootBytes ??= writeNode(root, add);
      return rootBytes;
    },
    get size() {
      return size;
    },
  };
}

function writeNode(node: TreeNode, add: AddTree): Buffer {
  for (const name of node.dirtyChildren) {
    const child = node.children.get(name);
    if (child) node.put(name, writeNode(child, add));
  }
  node.dirtyChildren.clear();
  return node.write(add);
}

/** Folders end in a slash, the file does not. */
function toNames(path: string): string[] {
  const bytes = path.startsWith(rawPathMark) ? path.slice(1) : Buffer.from(path, 'utf8').toString('latin1');
  const parts = bytes.split('/');
  return parts.map((part, i) => (i < parts.length - 1 ? `${part}/` : part));
}
