/** Operations on the history: versions of a memory, snapshots of all. */

import { AppError } from '../../kernel/errors.ts';
import { diffVersions } from '../versions/diff-versions.ts';
import type { PastValue } from '../versions/read-version.ts';
import { createSnapshots } from '../versions/snapshots.ts';
import { type HandlerParts, type MemoryHandlers, readCurrent } from './handler-parts.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';
import { type Place, isoTime, placeOf } from './place.ts';
import { createRestore } from './restore.ts';

const defaultPage = 100;

type VersionHandlers = Pick<MemoryHandlers, 'history' | 'diff' | 'restore' | 'snapshot'>;

/** Their handlers. */
export function createVersionHandlers(parts: HandlerParts): VersionHandlers {
  const { git, index, versions, codec, loop, clock, settleHistory, commitAll } = parts;
  const restore = createRestore(parts);
  const snapshots = createSnapshots(git, clock);

  async function at(place: Place, when: string): Promise<PastValue | undefined> {
    const moment = await versions.resolve(when, place);
    return versions.read(place.scope, place.key, moment);
  }

  function requireKnown(place: Place): void {
    const isKnown = index.rows.versions.last(place.scope, place.key) ?? index.get(place.scope, place.key);
    if (!isKnown) throw new AppError('MEMORY_NOT_FOUND', { ...place });
  }

  return {
    async history(input) {
      const place = placeOf(input);
      await settleHistory();
      const limit = input.limit ?? defaultPage;
      const before =
        input.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(decodeCursor(input.cursor));
      if (!Number.isSafeInteger(before)) {
        throw new AppError('INVALID_INPUT', { field: 'cursor', problem: 'is not one of ours' });
      }
      requireKnown(place);
      const waiting = input.cursor === undefined ? loop.pendingOf(place.scope, place.key).toReversed() : [];
      const rows = index.rows.versions.list(place.scope, place.key, before, limit + 1);
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      const all = [...waiting.map((record) => ({ ...record, commit: null })), ...shown];
      return {
        versions: all.map(({ commit, etag, atMs, actor, op }) => ({
          commit,
          etag,
          at: isoTime(atMs),
          actor,
          op,
        })),
        ...(rows.length > limit && last && { nextCursor: encodeCursor(String(last.ordinal)) }),
      };
    },

    async diff(input) {
      const place = placeOf(input);
      await settleHistory();
      requireKnown(place);
      const from = await at(place, input.from);
      const entry = input.to === undefined ? readCurrent(parts, place) : undefined;
      const now = entry && {
        etag: entry.etag,
        file: codec.decode(place.scope, entry.path, entry.content),
      };
      const to = input.to === undefined ? now : await at(place, input.to);
      return { ...place, ...diffVersions(from, to, place.key) };
    },

    async restore(input, caller) {
      if (input.key === undefined) await commitAll();
      else await settleHistory();
      return restore(input, caller);
    },

    async snapshot({ action, name = '' }, caller) {
      if (action === 'list') return { snapshots: await snapshots.list() };
      if (action === 'delete') return { snapshots: [await snapshots.remove(name)] };
      await commitAll();
      return { snapshots: [await snapshots.create(name, caller.actor)] };
    },
  };
}
