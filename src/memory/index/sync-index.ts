/** Brings the index up to a commit of main: after a crash, after a push, or from nothing. */

import { storedKeyOf } from '../encryption/file-codec.ts';
import { committerEmail, decodeTrailers } from '../git/commit-message.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import { type FileChange, type LoggedCommit, readLog } from '../git/read-log.ts';
import type { Git } from '../git/run-git.ts';
import { type FileIdentity, identifyFile, needsStoredKey } from '../files/key-path.ts';
import { maxFileBytes } from '../files/memory-file.ts';
import { memoryId } from '../write-record.ts';
import type { MemoryIndex } from './memory-index.ts';
import type { VersionInput } from './version-table.ts';

export interface SyncSource {
  readonly git: Git;
  readonly reader: ObjectReader;
  readonly index: MemoryIndex;
  /** True for a memory with a write that is not in Git yet: its current value stays. */
  readonly isPending: (scope: string, key: string) => boolean;
}

/** What a file's last change in the range left behind. */
interface Touched {
  readonly identity: FileIdentity;
  readonly version: VersionInput;
  /** False for the old file of a value that moved in the same commit: no version of its own. */
  readonly isVersion: boolean;
  /** True when a merge kept another content than this change's. */
  readonly isKept?: boolean;
}

/** Commits that are indexed in one transaction. */
interface Chunk {
  readonly touched: Map<string, Touched>;
  readonly versions: VersionInput[];
  commits: number;
  /** The last commit with several parents. */
  merge: LoggedCommit | undefined;
}

const chunkCommits = 1000;
const chunkFiles = 200;

/**
 * Indexes all commits from the index's head to `to`, which must descend from it; what changed is in the feed.
 * Returns the highest journal position that the commits tell of.
 * Long histories go in several transactions, each ending at a commit that has all earlier ones behind it,
 * so that an interrupted run goes on from there. A merge ends one too: what it kept is asked of its tree.
 */
export async function syncIndex(source: SyncSource, to: string): Promise<number> {
  const { git, index } = source;
  const from = index.getMeta('head');
  if (from === to) return 0;
  let maxSeq = 0;
  const keysOfHashedPaths = new Map<string, string>();
  const tips = new Set(from === null ? [] : [from]);
  let chunk = newChunk();
  for await (const commit of readLog(git, from, to)) {
    chunk.commits += 1;
    if (commit.parents.length > 1) chunk.merge = commit;
    for (const change of await identifyChanges(source, commit, keysOfHashedPaths)) {
      if (change.isVersion) chunk.versions.push(change.version);
      chunk.touched.set(change.version.path, change);
      maxSeq = Math.max(maxSeq, change.version.seq ?? 0);
    }
    for (const parent of commit.parents) tips.delete(parent);
    tips.add(commit.id);
    if (tips.size > 1 || (chunk.commits < chunkCommits && chunk.merge !== commit)) continue;
    await applyChunk(source, chunk, commit.id);
    chunk = newChunk();
  }
  await applyChunk(source, chunk, to);
  return maxSeq;
}

function newChunk(): Chunk {
  return { touched: new Map(), versions: [], commits: 0, merge: undefined };
}

async function applyChunk(source: SyncSource, chunk: Chunk, head: string): Promise<void> {
  const { index } = source;
  const last = [...chunk.touched.values()];
  const { merge } = chunk;
  const found = merge ? await readStates(source, last, head) : last;
  const contents = await readContents(source, found);
  index.transaction(() => {
    for (const version of chunk.versions) index.versions.add(version);
    const states = merge ? found.map((state) => withOrigin(index, state)) : found;
    if (merge) addMergeResults(index, states, merge);
    applyStates(source, states, contents);
    index.setMeta('head', head);
    index.setMeta('commits', String(Number(index.getMeta('commits') ?? 0) + chunk.commits));
  });
}

/** The memories that a commit changed. Of two files of one key, the one that is there counts. */
async function identifyChanges(
  source: SyncSource,
  commit: LoggedCommit,
  known: Map<string, string>,
): Promise<Touched[]> {
  const isOurs = commit.committerEmail === committerEmail;
  const trailers = new Map(
    (isOurs ? decodeTrailers(commit.message) : []).map((set) => [memoryId(set.scope, set.key), set]),
  );
  const plainOp = commit.parents.length > 1 ? 'merge' : 'store';
  const found: Touched[] = [];
  const put = new Set<string>();
  for (const change of [...commit.changes].sort(deletionsLast)) {
    const identity = await identify(source, change, known);
    if (!identity) continue;
    const { scope, key } = identity;
    const id = memoryId(scope, key);
    const isGone = change.blobId === null;
    if (!isGone) put.add(id);
    const ours = trailers.get(id);
    const version: VersionInput = {
      scope,
      key,
      path: change.path,
      etag: change.blobId,
      commit: commit.id,
      atMs: ours?.atMs ?? commit.committedMs,
      actor: ours?.actor ?? commit.authorName,
      op: isGone ? 'delete' : ours && ours.op !== 'delete' ? ours.op : plainOp,
      seq: ours?.seq ?? null,
    };
    // A value that changed its type is one version, not a deletion and a value.
    found.push({ identity, version, isVersion: !isGone || !put.has(id) });
  }
  return found;
}

function deletionsLast(a: FileChange, b: FileChange): number {
  return Number(a.blobId === null) - Number(b.blobId === null);
}

async function identify(
  source: SyncSource,
  change: FileChange,
  known: Map<string, string>,
): Promise<FileIdentity | undefined> {
  const { path, blobId } = change;
  if (!needsStoredKey(path)) return identifyFile(path);
  if (blobId !== null && !known.has(path)) {
    const object = await source.reader.read(blobId);
    if (object && object !== 'ambiguous') {
      const key = storedKeyOf(path, object.content);
      if (key !== undefined) known.set(path, key);
    }
  }
  return identifyFile(path, known.get(path) ?? source.index.versions.keyAtPath(path)?.key);
}

/**
 * After merges the last change of a path need not be what main has: ask main's tree. Where a file is gone, the
 * other side's file of the same key may have stayed at another path.
 */
async function readStates(source: SyncSource, touched: readonly Touched[], to: string): Promise<Touched[]> {
  const states = await readFiles(source, touched, to);
  const known = new Set(touched.map(({ version }) => version.path));
  const elsewhere = states
    .filter(({ version }) => version.etag === null)
    .flatMap((state) => {
      const { scope, key } = state.identity;
      const paths = source.index.versions.pathsOf(scope, key).filter((path) => !known.has(path));
      return paths.map((path) => ({ ...state, version: { ...state.version, path } }));
    });
  const others = await readFiles(source, elsewhere, to);
  return [...states, ...others.filter(({ version }) => version.etag !== null)];
}

async function readFiles(source: SyncSource, touched: readonly Touched[], to: string): Promise<Touched[]> {
  const states: Touched[] = [];
  for (let i = 0; i < touched.length; i += chunkFiles) {
    const chunk = touched.slice(i, i + chunkFiles);
    const objects = await Promise.all(
      chunk.map(({ version }) => source.reader.read(`${to}:${version.path}`)),
    );
    for (const [at, object] of objects.entries()) {
      const one = chunk[at];
      const isFile = object !== undefined && object !== 'ambiguous' && object.type === 'blob';
      const etag = isFile ? object.id : null;
      if (one) states.push({ ...one, isKept: etag !== one.version.etag, version: { ...one.version, etag } });
    }
  }
  return states;
}

/** A content that a merge kept from an earlier version is still the work of who made that. */
function withOrigin(index: MemoryIndex, state: Touched): Touched {
  const { scope, key, etag } = state.version;
  const origin =
    etag === null || !state.isKept
      ? undefined
      : index.versions.withEtag(scope, key, etag, Number.MAX_SAFE_INTEGER);
  if (!origin) return state;
  const { commit, atMs, actor, op } = origin;
  return { ...state, version: { ...state.version, commit, atMs, actor, op, seq: null } };
}

/** Adds a version where a merge kept another content than the one that was listed last. */
function addMergeResults(index: MemoryIndex, states: readonly Touched[], merge: LoggedCommit): void {
  const present = new Set(
    states.flatMap(({ identity: { scope, key }, version }) =>
      version.etag === null ? [] : memoryId(scope, key),
    ),
  );
  for (const { version } of states) {
    const { scope, key, path, etag } = version;
    if (etag === null && present.has(memoryId(scope, key))) continue;
    const last = index.versions.last(scope, key);
    if (!last || last.etag === etag) continue;
    const op = etag === null ? 'delete' : 'merge';
    const { id: commit, committedMs: atMs, authorName: actor } = merge;
    index.versions.add({ scope, key, path, etag, commit, atMs, actor, op, seq: null });
  }
}

async function readContents(source: SyncSource, states: readonly Touched[]): Promise<Map<string, Buffer>> {
  const ids = [...new Set(states.flatMap(({ version }) => version.etag ?? []))];
  const contents = new Map<string, Buffer>();
  for (let i = 0; i < ids.length; i += chunkFiles) {
    const chunk = ids.slice(i, i + chunkFiles);
    for (const object of await Promise.all(chunk.map((id) => source.reader.read(id)))) {
      if (object && object !== 'ambiguous' && object.content.length <= maxFileBytes) {
        contents.set(object.id, object.content);
      }
    }
  }
  return contents;
}

/** Deletions first, so that a value which moved to another path stays. */
function applyStates(
  source: SyncSource,
  states: readonly Touched[],
  contents: ReadonlyMap<string, Buffer>,
): void {
  const { index, isPending } = source;
  const gone = states.filter(({ version }) => version.etag === null);
  const present = states.filter(({ version }) => version.etag !== null);
  const kept = new Set(present.map(({ version }) => memoryId(version.scope, version.key)));
  for (const { identity, version, isKept } of [...gone, ...present]) {
    const { scope, key } = identity;
    if (isPending(scope, key)) continue;
    const current = index.get(scope, key);
    const content = version.etag === null ? undefined : contents.get(version.etag);
    if (version.etag === null) {
      if (current?.path !== version.path) continue;
      index.remove(scope, key);
    } else {
      if (!content || (!identity.canonical && current && current.path !== version.path)) continue;
      if (isKept && current?.etag === version.etag && current.path === version.path) continue;
      const { path, etag, atMs, actor, seq } = version;
      index.put({ scope, key, path, etag, atMs, actor, seq: seq ?? 0, content });
    }
    // What we wrote ourselves is in the feed since it was durable; what moved only has no deletion.
    const isMoved = version.etag === null && kept.has(memoryId(scope, key));
    if (isMoved || current?.etag === version.etag) continue;
    const { op, etag, actor, atMs } = version;
    index.changes.add({ scope, key, op: etag === null ? 'delete' : op, etag, actor, atMs, seq: 0 });
  }
}
