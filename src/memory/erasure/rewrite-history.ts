/**
 * All history without some files: new trees, commits and tags beside the old ones, for every ref. What does not
 * change keeps its id, so only what came after the first forgotten version is made anew. The refs do not move here.
 */

import { AppError } from '../../kernel/errors.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import { createPackBuilder } from '../git/pack-builder.ts';
import { installPack } from '../git/pack-files.ts';
import type { Git } from '../git/run-git.ts';
import { encodeRaw, headersOf, parseRaw, withTree, withoutForgotten } from './rewrite-commit.ts';
import type { IsForgotten } from './select-paths.ts';
import { type TreeEntry, encodeTree, folderMode, parseTree } from './tree-entries.ts';

/** A ref that has to move to let go of the old history. */
export interface RefMove {
  readonly ref: string;
  readonly from: string;
  readonly to: string;
}

export interface RewrittenHistory {
  /** Old commit to new one, for all that changed; a commit that would be empty becomes its parent. */
  readonly moved: ReadonlyMap<string, string>;
  readonly refs: readonly RefMove[];
  /** Commits at which the old history parts from the new one: every old head has one of them behind it. */
  readonly erased: readonly string[];
  /** Commits there are now, on any ref. */
  readonly commits: number;
}

export interface RewriteOptions {
  readonly git: Git;
  readonly reader: ObjectReader;
  /** Files to leave out. */
  readonly paths: ReadonlySet<string>;
  /** Whose trailers to leave out. */
  readonly isForgotten: IsForgotten;
  readonly onProgress: (done: number, total: number) => void;
}

const maxPackBytes = 64 * 1024 * 1024;
const progressEvery = 1000;
const emptyTree: readonly TreeEntry[] = [];

/** A folder on the way to a forgotten file; the files themselves are in `names`. */
interface Folder {
  readonly names: Set<string>;
  readonly folders: Map<string, Folder>;
  /** Old tree to new one; null for a folder that would be empty. */
  readonly done: Map<string, string | null>;
}

/** Writes the new objects, durably, and tells which refs must move. Throws GIT_FAILED, DISK_FULL, STORAGE_FAILED. */
export async function rewriteHistory(options: RewriteOptions): Promise<RewrittenHistory> {
  const { git, isForgotten } = options;
  const objects = createObjectWriter(options.git, options.reader);
  const root = toFolders(options.paths);
  const newIds = new Map<string, string>();
  /** Of old and new commits. */
  const trees = new Map<string, string>();
  const erased: string[] = [];

  async function rewriteCommit(id: string): Promise<void> {
    const content = await objects.read(id, 'commit');
    const raw = parseRaw(content);
    const [oldTree = ''] = headersOf(raw, 'tree');
    trees.set(id, oldTree);
    const oldParents = headersOf(raw, 'parent');
    const parents = [...new Set(oldParents.map((parent) => newIds.get(parent) ?? parent))];
    const tree = (await rewriteTree(oldTree, root)) ?? objects.add('tree', encodeTree(emptyTree));
    const message = withoutForgotten(raw, isForgotten);
    const isAsBefore =
      tree === oldTree && message === raw.message && parents.every((one, i) => one === oldParents[i]);
    if (isAsBefore && parents.length === oldParents.length) return void newIds.set(id, id);
    if (oldParents.every((parent) => !newIds.has(parent) || newIds.get(parent) === parent)) erased.push(id);
    const [parent] = parents;
    const isEmptyNow = parents.length === 1 && trees.get(parent ?? '') === tree;
    const wasEmpty = trees.get(oldParents[0] ?? '') === oldTree;
    if (isEmptyNow && !wasEmpty) newIds.set(id, parent ?? '');
    else {
      const made = objects.add('commit', encodeRaw(withTree(raw, tree, parents, message)));
      newIds.set(id, made);
      trees.set(made, tree);
    }
  }

  async function rewriteTree(id: string, folder: Folder): Promise<string | null> {
    const known = folder.done.get(id);
    if (known !== undefined) return known;
    const entries = parseTree(await objects.read(id, 'tree'));
    const kept: TreeEntry[] = [];
    let isChanged = false;
    for (const entry of entries) {
      const inner = entry.mode === folderMode ? folder.folders.get(entry.name) : undefined;
      const oldId = entry.id.toString('hex');
      const newId = inner ? await rewriteTree(oldId, inner) : oldId;
      const isGone = newId === null || (entry.mode !== folderMode && folder.names.has(entry.name));
      isChanged ||= isGone || newId !== oldId;
      if (!isGone) kept.push({ ...entry, id: Buffer.from(newId, 'hex') });
    }
    let made: string | null = id;
    if (isChanged) made = kept.length === 0 ? null : objects.add('tree', encodeTree(kept));
    folder.done.set(id, made);
    return made;
  }

  /** What a ref names instead: tags are made again around the new commit. */
  async function rewriteTarget(id: string, type: string): Promise<string> {
    if (type === 'commit') return newIds.get(id) ?? id;
    if (type === 'tree') return (await rewriteTree(id, root)) ?? objects.add('tree', encodeTree(emptyTree));
    if (type !== 'tag') return id;
    const raw = parseRaw(await objects.read(id, 'tag'));
    const [target = ''] = headersOf(raw, 'object');
    const made = await rewriteTarget(target, headersOf(raw, 'type')[0] ?? '');
    if (made === target) return id;
    const headers = raw.headers.map(([name, value]) => [name, name === 'object' ? made : value] as const);
    return objects.add('tag', encodeRaw({ headers, message: withoutSignature(raw.message) }));
  }

  const ids = (await git.run(['rev-list', '--all', '--topo-order', '--reverse'])).toString('latin1');
  const commits = ids.split('\n').filter(Boolean);
  for (const [at, id] of commits.entries()) {
    await rewriteCommit(id);
    if (at % progressEvery === 0) options.onProgress(at, commits.length);
  }
  const refs: RefMove[] = [];
  for (const { ref, id, type } of await listRefs(git)) {
    const to = await rewriteTarget(id, type);
    if (to !== id) refs.push({ ref, from: id, to });
  }
  objects.finish();
  options.onProgress(commits.length, commits.length);
  const moved = new Map([...newIds].filter(([from, to]) => from !== to));
  return { moved, refs, erased, commits: new Set(newIds.values()).size };
}

/** Reads old objects and collects new ones into packs. */
function createObjectWriter(git: Git, reader: ObjectReader) {
  let pack = createPackBuilder();
  let lastId = '0'.repeat(40);

  function finish(): void {
    // They keep their marks: until the refs have moved nobody may take them for rubbish.
    if (pack.count > 0) installPack(git.repositoryDir, pack.finish(), lastId);
    pack = createPackBuilder();
  }

  return {
    async read(id: string, type: string): Promise<Buffer> {
      const object = await reader.read(id);
      if (object && object !== 'ambiguous' && object.type === type) return object.content;
      throw new AppError('GIT_FAILED', { command: 'cat-file', problem: `${type} ${id} is missing` });
    },
    add(type: 'commit' | 'tree' | 'tag', content: Buffer): string {
      lastId = pack.add(type, content).toString('hex');
      if (pack.bytes > maxPackBytes) finish();
      return lastId;
    },
    finish,
  };
}

function toFolders(paths: ReadonlySet<string>): Folder {
  const newFolder = (): Folder => ({ names: new Set(), folders: new Map(), done: new Map() });
  const root = newFolder();
  for (const path of paths) {
    const names = path.split('/').map((name) => Buffer.from(name, 'utf8').toString('latin1'));
    const last = names.pop() ?? '';
    let folder = root;
    for (const name of names) {
      const next = folder.folders.get(name) ?? newFolder();
      folder.folders.set(name, next);
      folder = next;
    }
    folder.names.add(last);
  }
  return root;
}

/** Every ref with what it names itself, not peeled; one that only stands for another moves with that. */
async function listRefs(git: Git): Promise<{ ref: string; id: string; type: string }[]> {
  const out = await git.run(['for-each-ref', '--format=%(objectname) %(objecttype) %(refname) %(symref)']);
  return out
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const [, id, type, ref] = /^([0-9a-f]{40}) (\w+) (\S+) $/.exec(line) ?? [];
      return id === undefined || type === undefined || ref === undefined ? [] : [{ ref, id, type }];
    });
}

/** A signature in a tag's message is about the old target. */
function withoutSignature(message: string): string {
  return message.replace(/-----BEGIN (?:PGP|SSH) SIGNATURE-----[\s\S]*$/, '');
}
