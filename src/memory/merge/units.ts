/**
 * What is merged as one: a memory, wherever its file lies below its scope, or a file that is none by its path.
 */

import { type FileIdentity, identifyFile, needsStoredKey } from '../files/key-path.ts';
import { storedKeyOf } from '../encryption/file-codec.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import { memoryId } from '../write-record.ts';
import { type TreeChange, isRegularFile } from './tree-changes.ts';

/** One thing that is merged, and the paths of it that a side changed. */
export interface Unit {
  /** The memory id, or the path behind a slash. */
  readonly name: string;
  /** Missing for a file that is no memory. */
  readonly memory?: { readonly scope: string; readonly key: string };
  readonly paths: Set<string>;
  isOurs: boolean;
  isTheirs: boolean;
}

export interface Units {
  readonly all: ReadonlyMap<string, Unit>;
  ofPath(path: string): Unit | undefined;
}

const chunkFiles = 200;

/** Puts the changes of both sides together by what they are about. */
export async function groupChanges(
  reader: ObjectReader,
  ours: ReadonlyMap<string, TreeChange>,
  theirs: ReadonlyMap<string, TreeChange>,
): Promise<Units> {
  const paths = [...new Set([...ours.keys(), ...theirs.keys()])].toSorted();
  const storedKeys = await readStoredKeys(reader, paths, [ours, theirs]);
  const all = new Map<string, Unit>();
  const byPath = new Map<string, Unit>();
  for (const path of paths) {
    const changes = [ours.get(path), theirs.get(path)].flatMap((change) => change ?? []);
    const files = changes.flatMap(({ before, after }) => [after ?? [], before ?? []].flat());
    const identity = files.every(isRegularFile) ? identifyFile(path, storedKeys.get(path)) : undefined;
    const name = identity ? memoryId(identity.scope, identity.key) : `/${path}`;
    const unit = all.get(name) ?? newUnit(name, identity);
    unit.paths.add(path);
    unit.isOurs ||= ours.has(path);
    unit.isTheirs ||= theirs.has(path);
    all.set(name, unit);
    byPath.set(path, unit);
  }
  return { all, ofPath: (path) => byPath.get(path) };
}

function newUnit(name: string, identity: FileIdentity | undefined): Unit {
  const memory = identity && { scope: identity.scope, key: identity.key };
  return { name, ...(memory && { memory }), paths: new Set(), isOurs: false, isTheirs: false };
}

/** The keys of shortened names are in the files; of several files of one name any that fits will do. */
async function readStoredKeys(
  reader: ObjectReader,
  paths: readonly string[],
  sides: readonly ReadonlyMap<string, TreeChange>[],
): Promise<Map<string, string>> {
  const wanted = paths.filter(needsStoredKey);
  const keys = new Map<string, string>();
  for (let i = 0; i < wanted.length; i += chunkFiles) {
    const files = wanted.slice(i, i + chunkFiles).flatMap((path) =>
      sides
        .flatMap((side) => side.get(path) ?? [])
        .flatMap(({ before, after }) => [before ?? [], after ?? []].flat())
        .filter(isRegularFile)
        .map(({ id }) => ({ path, id })),
    );
    const objects = await Promise.all(files.map(({ id }) => reader.read(id)));
    for (const [at, { path }] of files.entries()) {
      const object = objects[at];
      if (!object || object === 'ambiguous') continue;
      const key = storedKeyOf(path, object.content);
      if (key !== undefined && identifyFile(path, key)?.key === key.normalize('NFC')) keys.set(path, key);
    }
  }
  return keys;
}
