/** Merges one memory or file that both sides changed: what stays, where, and what is a conflict. */

import { type FileKind, identifyFile, withKind } from '../files/key-path.ts';
import type { FileCodec } from '../encryption/file-codec.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import { findCommonWrites } from './common-writes.ts';
import { type ConflictRecord, type ConflictSide, conflictFolder } from './conflict-record.ts';
import { type MergedContent, mergeContent } from './merge-content.ts';
import type { MergeStrategy } from './merge-strategy.ts';
import type { MergeContext, PlaceConflict } from './merge-type.ts';
import { type SideStamps, type Stamp, type UnitChange, compareStamps } from './stamps.ts';
import { type TreeChange, type TreeFile, isRegularFile, isSameFile } from './tree-changes.ts';
import type { Unit } from './units.ts';

/** A file and where it is. */
interface Placed {
  readonly path: string;
  readonly file: TreeFile;
}

/** The unit in the base and on both sides; undefined where it is not. */
interface UnitStates {
  readonly base: Placed | undefined;
  readonly ours: Placed | undefined;
  readonly theirs: Placed | undefined;
}

/** What stays of a unit. All its other paths are to be empty. */
export interface MergedUnit {
  /** Undefined when nothing stays. */
  readonly placed?: { readonly path: string; readonly mode: string; readonly content: Buffer | string };
  readonly conflict?: Omit<ConflictRecord, 'merged' | 'commits'>;
}

export interface UnitSides {
  readonly ours: ReadonlyMap<string, TreeChange>;
  readonly theirs: ReadonlyMap<string, TreeChange>;
  readonly ourStamps: SideStamps;
  readonly theirStamps: SideStamps;
}

/** What merging reads with. */
interface UnitParts {
  readonly reader: ObjectReader;
  readonly codec: FileCodec;
}

/** Merges a unit that both sides changed. Throws GIT_FAILED. */
export async function mergeUnit(
  parts: UnitParts,
  unit: Unit,
  sides: UnitSides,
  strategy: MergeStrategy,
): Promise<MergedUnit> {
  const changes = {
    ours: sides.ourStamps.changesOf(unit.name),
    theirs: sides.theirStamps.changesOf(unit.name),
  };
  const common =
    unit.memory && (await findCommonWrites(parts.reader, unit.paths, changes.ours, changes.theirs));
  const states = { ...statesOf(unit, sides), ...(common && { base: common.base }) };
  const stamps = { ours: sides.ourStamps.of(unit.name), theirs: sides.theirStamps.of(unit.name) };
  const own = (all: readonly UnitChange[]) => (common ? all.filter((one) => !common.isCommon(one)) : all);
  const context = contextOf(states, stamps, [own(changes.ours), own(changes.theirs)]);
  const { base, ours, theirs } = states;
  if (isSamePlace(ours, theirs) && !context.isCount) return stay(ours);
  if (isSamePlace(base, ours)) return stay(theirs);
  if (isSamePlace(base, theirs)) return stay(ours);
  if (strategy === 'ours' || strategy === 'theirs') return stay(states[strategy]);
  if (strategy === 'latest') return stay(states[context.newer]);
  const report = (newer: 'ours' | 'theirs', conflicts: readonly PlaceConflict[], path: string) =>
    toConflict(unit, states, stamps, newer, conflicts, path);
  if (strategy === 'manual') {
    const kept = states[context.newer];
    const path = kept?.path ?? states[other(context.newer)]?.path ?? '';
    return { ...stay(kept), ...report(context.newer, [{ kind: 'manual', pointer: '' }], path) };
  }
  if (!ours || !theirs) {
    const rest = ours ?? theirs;
    if (!rest || isSameFile(rest.file, base?.file)) return {};
    return {
      ...stay(rest),
      ...report(ours ? 'ours' : 'theirs', [{ kind: 'deleted', pointer: '' }], rest.path),
    };
  }
  const merged = await mergeFiles(parts, unit, { base, ours, theirs }, context);
  const kept = states[context.newer] ?? ours;
  const path = merged.kind === undefined ? kept.path : choosePath(unit, states, kept, merged.kind);
  const content = merged.content ?? kept.file.id;
  const mode = merged.content ? mergeMode(states, kept) : kept.file.mode;
  return { placed: { path, mode, content }, ...report(context.newer, merged.conflicts, path) };
}

function other(side: 'ours' | 'theirs'): 'ours' | 'theirs' {
  return side === 'ours' ? 'theirs' : 'ours';
}

function stay(placed: Placed | undefined): MergedUnit {
  if (!placed) return {};
  return { placed: { path: placed.path, mode: placed.file.mode, content: placed.file.id } };
}

function isSamePlace(a: Placed | undefined, b: Placed | undefined): boolean {
  return a?.path === b?.path && isSameFile(a?.file, b?.file);
}

function statesOf(unit: Unit, { ours, theirs }: UnitSides): UnitStates {
  const paths = [...unit.paths].toSorted();
  const before = (path: string) => ours.get(path)?.before ?? theirs.get(path)?.before;
  const stateIn = (changes: ReadonlyMap<string, TreeChange> | undefined): Placed | undefined => {
    const there = paths.flatMap((path) => {
      const change = changes?.get(path);
      const file = change ? change.after : before(path);
      return file ? [{ path, file, isChanged: change !== undefined }] : [];
    });
    // Of several files of one key: one that the side touched, at the place where we would put it.
    const rank = (one: (typeof there)[number]) =>
      Number(one.isChanged) * 2 + Number(identifyFile(one.path)?.canonical === true);
    const [best] = there.length > 1 ? there.toSorted((a, b) => rank(b) - rank(a)) : there;
    return best && { path: best.path, file: best.file };
  };
  return { base: stateIn(undefined), ours: stateIn(ours), theirs: stateIn(theirs) };
}

function contextOf(
  states: UnitStates,
  stamps: { readonly ours: Stamp; readonly theirs: Stamp },
  changes: readonly (readonly UnitChange[])[],
): MergeContext {
  const isOnly = (op: string) =>
    changes.every((side) => side.length > 0 && side.every((change) => change.op === op));
  // Where nothing else tells the sides apart, the contents do.
  const tie = (placed: Placed | undefined) => `${placed?.file.id ?? ''} ${placed?.path ?? ''}`;
  const order = compareStamps(stamps.ours, stamps.theirs);
  const isOursNewer = order === 0 ? tie(states.ours) >= tie(states.theirs) : order > 0;
  return {
    newer: isOursNewer ? 'ours' : 'theirs',
    isCount: isOnly('increment'),
    isAppend: isOnly('append'),
  };
}

async function mergeFiles(
  { reader, codec }: UnitParts,
  unit: Unit,
  { base, ours, theirs }: UnitStates & { readonly ours: Placed; readonly theirs: Placed },
  context: MergeContext,
): Promise<MergedContent> {
  const isPlain = [base, ours, theirs].every((one) => one === undefined || isRegularFile(one.file));
  if (!isPlain) return { conflicts: [{ kind: 'file', pointer: '' }] };
  const contents = await Promise.all(
    [base, ours, theirs].map(async (one) => (one ? reader.read(one.file.id) : undefined)),
  );
  const [before, left, right] = [base, ours, theirs].map((one, i) => {
    const object = contents[i];
    return one && object && object !== 'ambiguous' ? { path: one.path, content: object.content } : undefined;
  });
  if (!left || !right) return { conflicts: [{ kind: 'file', pointer: '' }] };
  return mergeContent({ memory: unit.memory, codec }, before, left, right, context);
}

/** The place that one side chose, when it suits the kind; else ours for the key. */
function choosePath(unit: Unit, { base, ours, theirs }: UnitStates, kept: Placed, kind: FileKind): string {
  if (!unit.memory) return kept.path;
  const [left, right] = [ours?.path ?? kept.path, theirs?.path ?? kept.path];
  const path = left === right || right === base?.path ? left : left === base?.path ? right : kept.path;
  return withKind(path, kind);
}

function mergeMode({ base, ours, theirs }: UnitStates, kept: Placed): string {
  const [left, right] = [ours?.file.mode ?? kept.file.mode, theirs?.file.mode ?? kept.file.mode];
  if (left === right || right === base?.file.mode) return left;
  return left === base?.file.mode ? right : kept.file.mode;
}

function toConflict(
  unit: Unit,
  states: UnitStates,
  stamps: { readonly ours: Stamp; readonly theirs: Stamp },
  newer: 'ours' | 'theirs',
  conflicts: readonly PlaceConflict[],
  path: string,
): Pick<MergedUnit, 'conflict'> {
  const [first] = conflicts;
  // A record is never changed; two that differ under one name are nothing to record again.
  if (!first || unit.name.startsWith(`/${conflictFolder}/`)) return {};
  const kinds = new Set(conflicts.map(({ kind }) => kind));
  const sideOf = (side: 'ours' | 'theirs'): ConflictSide => {
    const placed = states[side];
    const { atMs, actor } = stamps[side];
    return { blob: placed?.file.id ?? null, path: placed?.path ?? path, atMs, actor };
  };
  const { base } = states;
  return {
    conflict: {
      kind: kinds.size === 1 ? first.kind : 'value',
      ...unit.memory,
      path,
      winner: sideOf(newer),
      loser: sideOf(other(newer)),
      base: base ? { blob: base.file.id, path: base.path } : null,
      fields: conflicts.map(({ pointer }) => pointer),
    },
  };
}
