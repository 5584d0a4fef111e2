/** Brings one memory, or all under a prefix, back to a former state, as new versions. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { MemoryCaller, MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import { identifyFile } from '../files/key-path.ts';
import type { SealableFile } from '../encryption/file-codec.ts';
import { readMain } from '../git/move-ref.ts';
import type { Git } from '../git/run-git.ts';
import type { LiveIndex } from '../index/live-index.ts';
import type { Moment, VersionReader } from '../versions/read-version.ts';
import type { Change, WritePath } from '../write-path.ts';
import { type Place, defaultScope, placeOf } from './place.ts';

export interface RestoreParts {
  readonly git: Git;
  readonly index: LiveIndex;
  readonly versions: VersionReader;
  readonly writePath: WritePath;
  readonly clock: Clock;
}

/** All of them go into the index in one turn of the event loop. */
const maxKeys = 5000;
const chunkKeys = 200;

/** The restore operation; what was acknowledged must be in Git before. */
export function createRestore(parts: RestoreParts) {
  const { git, index, versions, writePath, clock } = parts;

  async function restoreOne(
    place: Place,
    to: string,
    caller: MemoryCaller,
  ): Promise<MemoryOutput<'restore'>> {
    const past = await versions.read(place.scope, place.key, await versions.resolve(to, place));
    if (!past) throw new AppError('MEMORY_VERSION_NOT_FOUND', { version: to, ...place });
    const { expiresMs, key: _, ...kept } = past.file;
    const isOver = expiresMs !== undefined && expiresMs <= clock.now();
    const file = { ...kept, ...(!isOver && expiresMs !== undefined && { expiresMs }) };
    const done = await writePath.submit({ ...changeOf(place, file, caller) });
    const restoredFrom = past.version?.commit ?? to;
    const counts = { restored: Number(done.isChanged), deleted: 0, unchanged: Number(!done.isChanged) };
    return { ...place, etag: done.etag ?? past.etag, seq: done.seq, restoredFrom, ...counts };
  }

  /** Memories that changed since the moment. */
  async function changedSince(moment: Moment): Promise<Place[]> {
    if ('atMs' in moment) return index.rows.versions.changedAfter(moment.atMs);
    const main = readMain(git.repositoryDir);
    if (main === null) return [];
    const args = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', moment.commit, main];
    const paths = (await git.run(args)).toString('utf8').split('\0').filter(Boolean);
    const places = paths.flatMap((path) => index.rows.versions.keyAtPath(path) ?? identifyFile(path) ?? []);
    return [...new Map(places.map(({ scope, key }) => [`${scope}\0${key}`, { scope, key }])).values()];
  }

  /** How a memory was; undefined when it was not there, or its time is over now. */
  async function pastOf(place: Place, moment: Moment): Promise<SealableFile | undefined> {
    const file = (await versions.read(place.scope, place.key, moment))?.file;
    return file?.expiresMs !== undefined && file.expiresMs <= clock.now() ? undefined : file;
  }

  async function changesTo(
    moment: Moment,
    places: readonly Place[],
    caller: MemoryCaller,
  ): Promise<Change[]> {
    const changes: Change[] = [];
    for (let i = 0; i < places.length; i += chunkKeys) {
      const chunk = places.slice(i, i + chunkKeys);
      const files = await Promise.all(chunk.map((place) => pastOf(place, moment)));
      changes.push(...chunk.map((place, at) => changeOf(place, files[at], caller)));
    }
    return changes;
  }

  async function restoreMany(
    input: MemoryInput<'restore'>,
    caller: MemoryCaller,
  ): Promise<MemoryOutput<'restore'>> {
    const scope = input.scope ?? (input.all ? undefined : defaultScope);
    const prefix = input.prefix?.normalize('NFC') ?? '';
    const moment = await versions.resolve(input.to, { scope: scope ?? 'any', key: `${prefix}*` });
    const isMeant = (place: Place) =>
      (scope === undefined || place.scope === scope) && place.key.startsWith(prefix);
    const places = (await changedSince(moment)).filter(isMeant);
    if (places.length > maxKeys) {
      const problem = `${places.length} memories changed since then, at most ${maxKeys} are restored at once`;
      throw new AppError('INVALID_INPUT', { field: input.all ? 'all' : 'prefix', problem });
    }
    const changes = await changesTo(moment, places, caller);
    const done = changes.length === 0 ? [] : await writePath.submitAll(changes);
    const changed = done.filter((one) => one.isChanged);
    return {
      ...(scope !== undefined && { scope }),
      restoredFrom: 'commit' in moment ? moment.commit : new Date(moment.atMs).toISOString(),
      restored: changed.filter((one) => one.etag !== null).length,
      deleted: changed.filter((one) => one.etag === null).length,
      unchanged: done.length - changed.length,
    };
  }

  return (input: MemoryInput<'restore'>, caller: MemoryCaller): Promise<MemoryOutput<'restore'>> => {
    if (input.key === undefined) return restoreMany(input, caller);
    return restoreOne(placeOf({ ...input, key: input.key }), input.to, caller);
  };
}

function changeOf(place: Place, file: SealableFile | undefined, caller: MemoryCaller): Change {
  const { actor, agent, requestId } = caller;
  return { op: file ? 'restore' : 'delete', ...place, ...(file && { file }), actor, agent, requestId };
}
