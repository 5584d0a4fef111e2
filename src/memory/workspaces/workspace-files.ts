/** The memories at the tip of a workspace, read from Git: nothing of a workspace is in the index. */

import { AppError } from '../../kernel/errors.ts';
import { type FileCodec, storedKeyOf } from '../encryption/file-codec.ts';
import { identifyFile, needsStoredKey, scopeFolder } from '../files/key-path.ts';
import type { MemoryFile } from '../files/memory-file.ts';
import { decodeTrailers } from '../git/commit-message.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import { readLog } from '../git/read-log.ts';
import type { Git } from '../git/run-git.ts';
import type { IndexReader } from '../index/index-reader.ts';

export interface WorkspaceSource {
  readonly git: Git;
  readonly reader: ObjectReader;
  readonly index: IndexReader;
}

/** A memory's file at a commit. */
export interface WorkspaceFile {
  readonly scope: string;
  readonly key: string;
  readonly path: string;
  readonly etag: string;
}

/** Who made a version, when, in which commit. */
export interface Origin {
  readonly atMs: number;
  readonly actor: string;
  readonly commit: string | null;
}

const maxFiles = 20_000;
const chunkFiles = 200;

/** The files of a scope's memories at a commit, in key order. Throws INVALID_INPUT over 20,000. */
export async function listWorkspaceFiles(
  { git, reader }: WorkspaceSource,
  commit: string,
  scope: string,
): Promise<WorkspaceFile[]> {
  const args = ['ls-tree', '-r', '-z', '--full-tree', commit, '--', `${scopeFolder(scope)}/`];
  const lines = (await git.run(args)).toString('utf8').split('\0');
  if (lines.length > maxFiles) {
    const problem = `lists up to ${maxFiles} memories of a workspace, there are ${lines.length - 1}`;
    throw new AppError('INVALID_INPUT', { field: 'workspace', problem });
  }
  const found = new Map<string, WorkspaceFile & { readonly canonical: boolean }>();
  for (const line of lines) {
    const [, etag, path] = /^100\d{3} blob ([0-9a-f]{40})\t(.*)$/s.exec(line) ?? [];
    if (etag === undefined || path === undefined) continue;
    const stored = needsStoredKey(path) ? await readStoredKey(reader, path, etag) : undefined;
    const identity = identifyFile(path, stored);
    if (!identity || (found.has(identity.key) && !identity.canonical)) continue;
    const { key, canonical } = identity;
    found.set(key, { scope, key, path, etag, canonical });
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
}

/** The contents of files, in their order; undefined for what is missing or cannot be opened. */
export async function readWorkspaceFiles(
  { reader, codec }: { readonly reader: ObjectReader; readonly codec: FileCodec },
  files: readonly WorkspaceFile[],
): Promise<(MemoryFile | undefined)[]> {
  const contents: (MemoryFile | undefined)[] = [];
  for (let i = 0; i < files.length; i += chunkFiles) {
    const chunk = files.slice(i, i + chunkFiles);
    const objects = await Promise.all(chunk.map(({ etag }) => reader.read(etag)));
    for (const [at, object] of objects.entries()) {
      const file = chunk[at];
      const isThere = file && object && object !== 'ambiguous';
      contents.push(isThere ? codec.inspect(file.scope, file.path, object.content).file : undefined);
    }
  }
  return contents;
}

async function readStoredKey(reader: ObjectReader, path: string, etag: string): Promise<string | undefined> {
  const object = await reader.read(etag);
  return object && object !== 'ambiguous' ? storedKeyOf(path, object.content) : undefined;
}

/** Tells where versions at `tip` come from: commits that `main` has not, else the index of main. */
export async function readOrigins({ git, index }: WorkspaceSource, main: string | null, tip: string) {
  const own = new Map<string, Origin>();
  if (main !== tip) {
    for await (const { id, message, authorName, committedMs, changes } of readLog(git, main, tip)) {
      const [ours] = decodeTrailers(message);
      const origin = { atMs: ours?.atMs ?? committedMs, actor: ours?.actor ?? authorName, commit: id };
      for (const { blobId } of changes) if (blobId !== null) own.set(blobId, origin);
    }
  }
  return ({ scope, key, etag }: Pick<WorkspaceFile, 'scope' | 'key' | 'etag'>): Origin => {
    const known = own.get(etag);
    if (known) return known;
    const version = index.versions.withEtag(scope, key, etag, Number.MAX_SAFE_INTEGER);
    return version ?? { atMs: 0, actor: 'unknown', commit: null };
  };
}
