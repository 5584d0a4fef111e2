/** The operations of the table, each as a few calls on index, versions and write path. */

import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type {
  MemoryCaller,
  MemoryInput,
  MemoryOperation,
  MemoryOutput,
} from '../kernel/memory-operations.ts';
import type { CommitLoop } from './commit-loop.ts';
import { toPlainJson } from './files/canonical-json.ts';
import { normalizeKey } from './files/key-path.ts';
import { type MemoryFile, decodeMemoryFile, normalizeTags } from './files/memory-file.ts';
import type { ObjectReader } from './git/object-reader.ts';
import type { Git } from './git/run-git.ts';
import { type EntryHead, type MemoryIndex, kindOfPath } from './index/memory-index.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';
import { searchMemories } from './search/search-memories.ts';
import { repositorySize } from './git/repository-size.ts';
import { createRestore } from './restore.ts';
import { appendTo, incrementIn } from './value-changes.ts';
import { diffVersions } from './versions/diff-versions.ts';
import type { PastValue, VersionReader } from './versions/read-version.ts';
import { createSnapshots } from './versions/snapshots.ts';
import type { Change, WritePath } from './write-path.ts';

/** One function an operation; inputs are parsed already. */
export type MemoryHandlers = {
  readonly [Op in MemoryOperation]: (
    input: MemoryInput<Op>,
    caller: MemoryCaller,
  ) => Promise<MemoryOutput<Op>>;
};

export interface HandlerParts {
  readonly git: Git;
  readonly reader: ObjectReader;
  readonly index: MemoryIndex;
  readonly versions: VersionReader;
  readonly writePath: WritePath;
  readonly loop: CommitLoop;
  readonly clock: Clock;
  /** Commits what is acknowledged, as far as Git lets us: what is not, shows without a commit. */
  readonly settleHistory: () => Promise<void>;
  /** Commits what is acknowledged, or throws what kept it from that. */
  readonly commitAll: () => Promise<void>;
}

const defaultScope = 'shared';
const defaultPage = 100;
const defaultHits = 20;

interface Place {
  readonly scope: string;
  readonly key: string;
}

function placeOf(input: { key: string; scope?: string | undefined }): Place {
  return { scope: input.scope ?? defaultScope, key: normalizeKey(input.key) };
}

function callerOf(caller: MemoryCaller) {
  return { actor: caller.actor, agent: caller.agent, requestId: caller.requestId };
}

/** The handlers of all operations. */
export function createHandlers(parts: HandlerParts): MemoryHandlers {
  const { git, reader, index, versions, writePath, loop, clock, settleHistory, commitAll } = parts;
  const restore = createRestore(parts);
  const snapshots = createSnapshots(git, clock);

  /** The value that readers see now. */
  function current({ scope, key }: Place) {
    writePath.ensureApplied();
    const entry = index.get(scope, key);
    if (!entry || (entry.expiresMs !== null && entry.expiresMs <= clock.now())) return undefined;
    return entry;
  }

  async function at(place: Place, when: string): Promise<PastValue | undefined> {
    const moment = await versions.resolve(when, place);
    return versions.read(place.scope, place.key, moment);
  }

  function requireKnown(place: Place): void {
    const isKnown = index.versions.last(place.scope, place.key) ?? index.get(place.scope, place.key);
    if (!isKnown) throw new AppError('MEMORY_NOT_FOUND', { ...place });
  }

  function storeChange(input: MemoryInput<'store'>, caller: MemoryCaller): Change {
    const value = checkValue(input.value);
    const tags = normalizeTags(input.tags ?? []);
    const expiresMs = input.ttlSeconds === undefined ? undefined : clock.now() + input.ttlSeconds * 1000;
    const file: MemoryFile = { tags, value, ...(expiresMs !== undefined && { expiresMs }) };
    return { op: 'store', ...placeOf(input), file, ifMatch: input.ifMatch, ...callerOf(caller) };
  }

  return {
    async store(input, caller) {
      const change = storeChange(input, caller);
      const { etag, seq } = await writePath.submit(change);
      return { scope: change.scope, key: change.key, etag: etag ?? '', seq };
    },

    async retrieve(input) {
      const place = placeOf(input);
      if (input.at === undefined) {
        const entry = current(place);
        if (!entry) throw new AppError('MEMORY_NOT_FOUND', { ...place });
        const { value } = decodeMemoryFile(kindOfPath(entry.path), entry.content);
        return { ...toItem(entry), value, actor: entry.actor, commit: entry.commit };
      }
      await settleHistory();
      const past = await at(place, input.at);
      if (!past) throw new AppError('MEMORY_VERSION_NOT_FOUND', { version: input.at, ...place });
      const { file, etag, version } = past;
      return {
        ...place,
        value: file.value,
        tags: [...file.tags],
        etag,
        updatedAt: isoTime(version?.atMs ?? 0),
        actor: version?.actor ?? 'unknown',
        commit: version?.commit ?? null,
      };
    },

    async list(input) {
      writePath.ensureApplied();
      const limit = input.limit ?? defaultPage;
      const after = input.cursor === undefined ? undefined : decodeCursor(input.cursor);
      const rows = index.list({
        scope: input.scope ?? defaultScope,
        prefix: input.prefix?.normalize('NFC'),
        tags: input.tags && normalizeTags(input.tags),
        after,
        nowMs: clock.now(),
        limit: limit + 1,
      });
      const items = rows.slice(0, limit).map(toItem);
      const last = items.at(-1);
      return { items, ...(rows.length > limit && last && { nextCursor: encodeCursor(last.key) }) };
    },

    async search(input) {
      if (input.at !== undefined) await settleHistory();
      writePath.ensureApplied();
      const tags = input.tags && normalizeTags(input.tags);
      const nowMs = clock.now();
      return searchMemories(
        { git, reader, index, versions },
        { ...input, tags, limit: input.limit ?? defaultHits, nowMs },
      );
    },

    async delete(input, caller) {
      const place = placeOf(input);
      const change = { op: 'delete', ...place, ifMatch: input.ifMatch, ...callerOf(caller) } as const;
      const { seq, isChanged } = await writePath.submit(change);
      return { ...place, deleted: isChanged, seq };
    },

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
      const rows = index.versions.list(place.scope, place.key, before, limit + 1);
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
      const entry = input.to === undefined ? current(place) : undefined;
      const now = entry && {
        etag: entry.etag,
        file: decodeMemoryFile(kindOfPath(entry.path), entry.content),
      };
      const to = input.to === undefined ? now : await at(place, input.to);
      return { ...place, ...diffVersions(from, to, place.key) };
    },

    async restore(input, caller) {
      if (input.key === undefined) await commitAll();
      else await settleHistory();
      return restore(input, caller);
    },

    async store_many(input, caller) {
      const scope = input.scope ?? defaultScope;
      const changes = input.entries.map((entry) => storeChange({ ...entry, scope }, caller));
      const keys = changes.map(({ key }) => key);
      if (new Set(keys).size < keys.length) {
        throw new AppError('INVALID_INPUT', { field: 'entries', problem: 'name a key twice' });
      }
      const done = await writePath.submitAll(changes);
      const entries = done.map(({ etag, seq }, i) => ({ key: keys[i] ?? '', etag: etag ?? '', seq }));
      return { scope, entries };
    },

    async append(input, caller) {
      const place = placeOf(input);
      const file = (now: MemoryFile | undefined) => appendTo(now, input);
      const { etag, seq } = await writePath.submit({ op: 'append', ...place, file, ...callerOf(caller) });
      return { ...place, etag: etag ?? '', seq };
    },

    async increment(input, caller) {
      const place = placeOf(input);
      let value = 0;
      const file = (now: MemoryFile | undefined) => {
        const next = incrementIn(now, input);
        ({ value } = next);
        return next.file;
      };
      const { etag, seq } = await writePath.submit({ op: 'increment', ...place, file, ...callerOf(caller) });
      return { ...place, etag: etag ?? '', seq, value };
    },

    async snapshot({ action, name = '' }, caller) {
      if (action === 'list') return { snapshots: await snapshots.list() };
      if (action === 'delete') return { snapshots: [await snapshots.remove(name)] };
      await commitAll();
      return { snapshots: [await snapshots.create(name, caller.actor)] };
    },

    async stats() {
      writePath.ensureApplied();
      const scopes = index.sizes(clock.now());
      return {
        keys: scopes.reduce((sum, one) => sum + one.keys, 0),
        bytes: scopes.reduce((sum, one) => sum + one.bytes, 0),
        commits: Number(index.getMeta('commits') ?? 0),
        head: index.getMeta('head'),
        journalPending: loop.pendingCount,
        repositoryBytes: await repositorySize(git.repositoryDir),
        scopes,
      };
    },
  };
}

function checkValue(value: unknown): unknown {
  if (typeof value !== 'string') return toPlainJson(value);
  if (value.isWellFormed()) return value;
  throw new AppError('INVALID_INPUT', { field: 'value', problem: 'contains half of a surrogate pair' });
}

function toItem(entry: EntryHead) {
  const { key, scope, tags, etag, atMs } = entry;
  return { key, scope, tags: [...tags], etag, updatedAt: isoTime(atMs) };
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
