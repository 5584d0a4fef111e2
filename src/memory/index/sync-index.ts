/** Brings the index up to a commit of main: after a crash, after a push, or from nothing. */

import { committerEmail, decodeTrailers } from '../git/commit-message.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import { type FileChange, type LoggedCommit, readLog } from '../git/read-log.ts';
import type { Git } from '../git/run-git.ts';
import { type FileIdentity, identifyFile, needsStoredKey } from '../files/key-path.ts';
import { decodeMemoryFile, maxFileBytes } from '../files/memory-file.ts';
import { memoryId } from '../write-record.ts';
import { type MemoryIndex, kindOfPath } from './memory-index.ts';
import type { VersionInput } from './version-table.ts';

/** A memory whose current value came from Git. */
export interface SyncedChange {
  readonly scope: string;
  readonly key: string;
  readonly etag: string | null;
  readonly actor: string;
}

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
}

/** Commits that are indexed in one transaction. */
interface Chunk {
  readonly touched: Map<string, Touched>;
  readonly versions: VersionInput[];
  commits: number;
  hasMerge: boolean;
}

const chunkCommits = 1000;
const chunkFiles = 200;

/**
 * Indexes all commits from the index's head to `to`, which must descend from it, and returns what changed.
 * Long histories go in several transactions, each ending at a commit that has all earlier ones behind it,
 * so that an interrupted run goes on from there.
 */
export async function syncIndex(source: SyncSource, to: string): Promise<SyncedChange[]> {
  const { git, index } = source;
  const from = index.getMeta('head');
  if (from === to) return [];
  const keysOfHashedPaths = new Map<string, string>();
  const tips = new Set(from === null ? [] : [from]);
  const changed: SyncedChange[] = [];
  let chunk = newChunk();
  for await (const commit of readLog(git, from, to)) {
    chunk.commits += 1;
    chunk.hasMerge ||= commit.parents.length > 1;
    for (const change of await identifyChanges(source, commit, keysOfHashedPaths)) {
      if (change.isVersion) chunk.versions.push(change.version);
      chunk.touched.set(change.version.path, change);
    }
    for (const parent of commit.parents) tips.delete(parent);
    tips.add(commit.id);
    if (chunk.commits < chunkCommits || tips.size > 1) continue;
    changed.push(...(await applyChunk(source, chunk, commit.id)));
    chunk = newChunk();
  }
  changed.push(...(await applyChunk(source, chunk, to)));
  return changed;
}

function newChunk(): Chunk {
  return { touched: new Map(), versions: [], commits: 0, hasMerge: false };
}

async function applyChunk(source: SyncSource, chunk: Chunk, head: string): Promise<SyncedChange[]> {
  const { index } = source;
  const last = [...chunk.touched.values()];
  const states = chunk.hasMerge ? await readStates(source, last, head) : last;
  const contents = await readContents(source, states);
  const changed: SyncedChange[] = [];
  index.transaction(() => {
    for (const version of chunk.versions) index.versions.add(version);
    if (chunk.hasMerge) addMergeResults(index, states, head);
    changed.push(...applyStates(source, states, contents));
    index.setMeta('head', head);
    index.setMeta('commits', String(Number(index.getMeta('commits') ?? 0) + chunk.commits));
  });
  return changed;
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
      op: isGone ? 'delete' : ours && ours.op !== 'delete' ? ours.op : 'store',
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
      const key = decodeMemoryFile(kindOfPath(path), object.content).key;
      if (key !== undefined) known.set(path, key);
    }
  }
  return identifyFile(path, known.get(path) ?? source.index.versions.keyAtPath(path)?.key);
}

/** After merges the last change of a path need not be what main has: ask main's tree. */
async function readStates(source: SyncSource, touched: readonly Touched[], to: string): Promise<Touched[]> {
  const states: Touched[] = [];
  for (let i = 0; i < touched.length; i += chunkFiles) {
    const chunk = touched.slice(i, i + chunkFiles);
    const objects = await Promise.all(
      chunk.map(({ version }) => source.reader.read(`${to}:${version.path}`)),
    );
    for (const [at, object] of objects.entries()) {
      const one = chunk[at];
      const isFile = object !== undefined && object !== 'ambiguous' && object.type === 'blob';
      if (one) states.push({ ...one, version: { ...one.version, etag: isFile ? object.id : null } });
    }
  }
  return states;
}

/** Adds a version where a merge kept another content than the one that was listed last. */
function addMergeResults(index: MemoryIndex, states: readonly Touched[], to: string): void {
  for (const { version } of states) {
    const last = index.versions.last(version.scope, version.key);
    const isElsewhere = version.etag === null && last !== undefined && last.path !== version.path;
    if (!last || last.etag === version.etag || isElsewhere) continue;
    const op = version.etag === null ? 'delete' : 'store';
    index.versions.add({ ...version, op, commit: to, seq: null });
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
): SyncedChange[] {
  const { index, isPending } = source;
  const changed: SyncedChange[] = [];
  const gone = states.filter(({ version }) => version.etag === null);
  const present = states.filter(({ version }) => version.etag !== null);
  for (const { identity, version } of [...gone, ...present]) {
    const { scope, key } = identity;
    if (isPending(scope, key)) continue;
    const current = index.get(scope, key);
    const content = version.etag === null ? undefined : contents.get(version.etag);
    if (version.etag === null) {
      if (current?.path !== version.path) continue;
      index.remove(scope, key);
    } else {
      if (!content || (!identity.canonical && current && current.path !== version.path)) continue;
      const { path, etag, atMs, actor, commit, seq } = version;
      index.put({ scope, key, path, etag, atMs, actor, commit, seq: seq ?? 0, content });
    }
    changed.push({ scope, key, etag: version.etag, actor: version.actor });
  }
  return changed;
}
