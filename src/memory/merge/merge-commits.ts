/**
 * Merges two commits: three-way over the differences to their common ancestor, into a new commit that
 * depends on nothing but the two, so that replicas which merge the same commits make the same one.
 */

import { AppError } from '../../kernel/errors.ts';
import { encodeMergeCommit } from '../git/commit-message.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import { type PackBuilder, createPackBuilder } from '../git/pack-builder.ts';
import { installPack } from '../git/pack-files.ts';
import type { Git } from '../git/run-git.ts';
import { type TreeCache, createTreeCache } from '../git/tree-cache.ts';
import { type ConflictNote, type ConflictRecord, encodeConflict } from './conflict-record.ts';
import { findCollisions } from './path-collisions.ts';
import type { StrategyOf } from './merge-strategy.ts';
import type { FileCodec } from '../encryption/file-codec.ts';
import { type MergedUnit, mergeUnit } from './merge-unit.ts';
import { readStamps } from './stamps.ts';
import { type TreeChange, emptyTree, readTreeChanges } from './tree-changes.ts';
import { type Unit, groupChanges } from './units.ts';

export interface MergeParts {
  readonly git: Git;
  readonly reader: ObjectReader;
  /** Opens sealed files. */
  readonly codec: FileCodec;
}

/** A merge that is not yet in the repository. */
export interface CommitMerge {
  readonly commit: string;
  readonly files: ReturnType<PackBuilder['finish']>;
  /** The merged tree. */
  readonly tree: TreeCache;
  /** Conflicts that this merge recorded. */
  readonly conflicts: number;
  /** What they are about. */
  readonly records: readonly ConflictNote[];
}

/** What becomes of a path of our tree: another file, one of the merge's own, or none. */
type Edit = { readonly mode: string; readonly content: Buffer | string } | null;

const unitsAtOnce = 500;

/** All best common ancestors, sorted; none for histories that have nothing in common. Throws GIT_FAILED. */
export async function findMergeBases(git: Git, ours: string, theirs: string): Promise<string[]> {
  const out = await git.run(['rev-parse', `${ours}...${theirs}`]);
  return [...out.toString('latin1').matchAll(/^\^([0-9a-f]{40})$/gm)].map(([, id = '']) => id).toSorted();
}

/**
 * Merges `theirs` into `ours`, whose tree `tree` is (it is changed). Several bases are merged first, by
 * `auto`. Throws GIT_FAILED.
 */
export async function mergeCommits(
  parts: MergeParts,
  sides: { readonly ours: string; readonly theirs: string; readonly bases: readonly string[] },
  tree: TreeCache,
  strategyOf: StrategyOf,
): Promise<CommitMerge> {
  const { git, reader } = parts;
  const { ours, theirs } = sides;
  const base = await mergeBasesToOne(parts, sides.bases);
  const [ourChanges, theirChanges] = await Promise.all(
    [ours, theirs].map((side) => readTreeChanges(git, base ?? emptyTree, side)),
  );
  const changes = { ours: ourChanges ?? new Map(), theirs: theirChanges ?? new Map() };
  const units = await groupChanges(reader, changes.ours, changes.theirs);
  const edits = new Map<string, Edit>();
  const shared: Unit[] = [];
  for (const unit of units.all.values()) {
    if (unit.isOurs && unit.isTheirs) shared.push(unit);
    else if (unit.isTheirs) takeTheirs(unit, changes.theirs, edits);
  }
  const records: Omit<ConflictRecord, 'merged' | 'commits'>[] = [];
  const merged = await mergeShared(parts, { ours, theirs, base }, changes, shared, strategyOf);
  for (const [unit, result] of merged) {
    for (const path of unit.paths) edits.set(path, null);
    if (result.placed) edits.set(result.placed.path, result.placed);
    if (result.conflict) records.push(result.conflict);
  }
  for (const lost of findCollisions(changes.ours, edits)) {
    edits.set(lost.path, null);
    records.push(lost.conflict);
  }
  return write(reader, { ours, theirs }, tree, edits, records);
}

/** With several bases (a criss-cross) their merge is the base; it stays in the repository without a ref. */
async function mergeBasesToOne(parts: MergeParts, bases: readonly string[]): Promise<string | null> {
  const { git, reader } = parts;
  const [first = null, ...rest] = bases;
  let base = first;
  for (const next of rest) {
    if (base === null) break;
    const tree = await createTreeCache(reader, await rootOf(reader, base));
    const sides = { ours: base, theirs: next, bases: await findMergeBases(git, base, next) };
    const merge = await mergeCommits(parts, sides, tree, () => 'auto');
    installPack(git.repositoryDir, merge.files, merge.commit).release();
    base = merge.commit;
  }
  return base;
}

function takeTheirs(unit: Unit, theirs: ReadonlyMap<string, TreeChange>, edits: Map<string, Edit>): void {
  for (const path of unit.paths) {
    const after = theirs.get(path)?.after;
    edits.set(path, after ? { mode: after.mode, content: after.id } : null);
  }
}

async function mergeShared(
  { git, reader, codec }: MergeParts,
  { ours, theirs, base }: { readonly ours: string; readonly theirs: string; readonly base: string | null },
  changes: { readonly ours: Map<string, TreeChange>; readonly theirs: Map<string, TreeChange> },
  shared: readonly Unit[],
  strategyOf: StrategyOf,
): Promise<[Unit, MergedUnit][]> {
  if (shared.length === 0) return [];
  const names = new Set(shared.map(({ name }) => name));
  const paths = new Map(shared.flatMap((unit) => [...unit.paths].map((path) => [path, unit.name] as const)));
  const unitOf = {
    memory: (id: string) => (names.has(id) ? id : undefined),
    path: (path: string) => paths.get(path),
    count: names.size,
  };
  const [ourStamps, theirStamps] = await Promise.all([
    readStamps(git, base, ours, unitOf),
    readStamps(git, base, theirs, unitOf),
  ]);
  const sides = { ...changes, ourStamps, theirStamps };
  const results: [Unit, MergedUnit][] = [];
  for (let i = 0; i < shared.length; i += unitsAtOnce) {
    const chunk = shared.slice(i, i + unitsAtOnce);
    const merged = await Promise.all(
      chunk.map((unit) =>
        mergeUnit({ reader, codec }, unit, sides, unit.memory ? strategyOf(unit.memory.scope) : 'auto'),
      ),
    );
    results.push(...chunk.map((unit, at): [Unit, MergedUnit] => [unit, merged[at] ?? {}]));
  }
  return results;
}

async function write(
  reader: ObjectReader,
  { ours, theirs }: { readonly ours: string; readonly theirs: string },
  tree: TreeCache,
  edits: ReadonlyMap<string, Edit>,
  records: readonly Omit<ConflictRecord, 'merged' | 'commits'>[],
): Promise<CommitMerge> {
  const pack = createPackBuilder();
  const commits = [ours, theirs].toSorted();
  const placed = new Map<string, string>();
  for (const [path, edit] of edits) if (edit === null) await tree.removeFile(path);
  for (const [path, edit] of edits) {
    if (edit === null) continue;
    const { mode, content } = edit;
    const id = typeof content === 'string' ? Buffer.from(content, 'hex') : pack.add('blob', content);
    placed.set(path, id.toString('hex'));
    await tree.putFile(path, id, mode);
  }
  for (const record of records) {
    const file = encodeConflict({ ...record, merged: placed.get(record.path) ?? null, commits });
    await tree.putFile(file.path, pack.add('blob', file.content));
  }
  const root = tree.write((id, content, base) => pack.add('tree', content, { id, base })).toString('hex');
  const dates = await Promise.all(commits.map((commit) => readCommit(reader, commit)));
  const atSeconds = Math.max(...dates.map((date) => date.committedSeconds));
  const bytes = encodeMergeCommit({ tree: root, parents: commits, atSeconds, conflicts: records.length });
  const commit = pack.add('commit', bytes).toString('hex');
  return { commit, files: pack.finish(), tree, conflicts: records.length, records: records.map(toNote) };
}

function toNote({ scope, key, path, kind }: ConflictNote): ConflictNote {
  return { path, kind, ...(scope !== undefined && { scope }), ...(key !== undefined && { key }) };
}

/** The tree of a commit. Throws GIT_FAILED when the commit is missing. */
export async function rootOf(reader: ObjectReader, commit: string): Promise<string> {
  return (await readCommit(reader, commit)).tree;
}

async function readCommit(reader: ObjectReader, commit: string) {
  const object = await reader.read(commit);
  const text =
    object && object !== 'ambiguous' && object.type === 'commit' ? object.content.toString('latin1') : '';
  const tree = /^tree ([0-9a-f]{40})$/m.exec(text)?.[1];
  if (tree === undefined) {
    throw new AppError('GIT_FAILED', { command: 'cat-file', problem: `commit ${commit} is missing` });
  }
  return { tree, committedSeconds: Number(/^committer .* (\d+) [+-]\d+$/m.exec(text)?.[1] ?? 0) };
}
