/** Operations on present values: read, list, write. */

import { AppError } from '../../kernel/errors.ts';
import type { MemoryCaller, MemoryInput } from '../../kernel/memory/operations.ts';
import { toPlainJson } from '../files/canonical-json.ts';
import type { SealableFile } from '../encryption/file-codec.ts';
import { normalizeTags } from '../files/memory-file.ts';
import type { EntryHead } from '../index/entry.ts';
import type { Change } from '../write-path.ts';
import { type HandlerParts, type MemoryHandlers, readCurrent } from './handler-parts.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';
import { callerOf, defaultScope, isoTime, placeOf, threadOf } from './place.ts';
import type { WorkspaceValues } from '../workspaces/workspace-values.ts';
import { appendTo, incrementIn } from './value-changes.ts';

const defaultPage = 100;

type ValueHandlers = Pick<
  MemoryHandlers,
  'store' | 'store_many' | 'retrieve' | 'list' | 'delete' | 'append' | 'increment'
>;

/** Their handlers. */
export function createValueHandlers(parts: HandlerParts, workspaces: WorkspaceValues): ValueHandlers {
  const { index, versions, writePath, codec, subjects, clock, settleHistory } = parts;

  function storeChange(input: MemoryInput<'store'>, caller: MemoryCaller): Change & { file: SealableFile } {
    const value = checkValue(input.value);
    const tags = normalizeTags(input.tags ?? []);
    const expiresMs = input.ttlSeconds === undefined ? undefined : clock.now() + input.ttlSeconds * 1000;
    const subjectKid = input.subject === undefined ? undefined : subjects.ensure(input.subject);
    const file: SealableFile = {
      tags,
      value,
      ...(expiresMs !== undefined && { expiresMs }),
      ...threadOf(input),
      ...(subjectKid !== undefined && { subjectKid }),
    };
    const { ifMatch, durability } = input;
    return { op: 'store', ...placeOf(input), file, ifMatch, durability, ...callerOf(caller) };
  }

  return {
    async store(input, caller) {
      const change = storeChange(input, caller);
      const { workspace } = input;
      const { etag, seq } =
        workspace === undefined ? await writePath.submit(change) : await workspaces.write(workspace, change);
      return { scope: change.scope, key: change.key, etag: etag ?? '', seq };
    },

    async store_many(input, caller) {
      const { scope = defaultScope, durability } = input;
      const changes = input.entries.map((entry) => storeChange({ ...entry, scope, durability }, caller));
      const keys = changes.map(({ key }) => key);
      if (new Set(keys).size < keys.length) {
        throw new AppError('INVALID_INPUT', { field: 'entries', problem: 'name a key twice' });
      }
      const done = await writePath.submitAll(changes);
      const entries = done.map(({ etag, seq }, i) => ({ key: keys[i] ?? '', etag: etag ?? '', seq }));
      return { scope, entries };
    },

    async retrieve(input) {
      const place = placeOf(input);
      if (input.workspace !== undefined) return workspaces.retrieve(input.workspace, input);
      if (input.at === undefined) {
        const entry = readCurrent(parts, place);
        if (!entry) throw new AppError('MEMORY_NOT_FOUND', { ...place });
        const { value, tags, thread, sequence } = codec.decode(place.scope, entry.path, entry.content);
        const last = index.rows.versions.last(place.scope, place.key);
        const commit = last?.etag === entry.etag ? last.commit : null;
        return { ...toItem({ ...entry, tags, thread, sequence }), value, actor: entry.actor, commit };
      }
      await settleHistory();
      const past = await versions.read(place.scope, place.key, await versions.resolve(input.at, place));
      if (!past) throw new AppError('MEMORY_VERSION_NOT_FOUND', { version: input.at, ...place });
      const { file, etag, version } = past;
      return {
        ...place,
        value: file.value,
        tags: [...file.tags],
        etag,
        updatedAt: isoTime(version?.atMs ?? 0),
        ...threadOf(file),
        actor: version?.actor ?? 'unknown',
        commit: version?.commit ?? null,
      };
    },

    async list(input) {
      if (input.workspace !== undefined) return workspaces.list(input.workspace, input);
      await index.caughtUp();
      const limit = input.limit ?? defaultPage;
      const after = input.cursor === undefined ? undefined : decodeCursor(input.cursor);
      const rows = index.rows.list({
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

    async delete(input, caller) {
      const place = placeOf(input);
      const change = { op: 'delete', ...place, ifMatch: input.ifMatch, ...callerOf(caller) } as const;
      const { workspace } = input;
      const { seq, isChanged } =
        workspace === undefined ? await writePath.submit(change) : await workspaces.write(workspace, change);
      return { ...place, deleted: isChanged, seq };
    },

    async append(input, caller) {
      const place = placeOf(input);
      const file = (now: SealableFile | undefined) => appendTo(now, input);
      const { etag, seq } = await writePath.submit({
        op: 'append',
        ...place,
        file,
        durability: input.durability,
        ...callerOf(caller),
      });
      return { ...place, etag: etag ?? '', seq };
    },

    async increment(input, caller) {
      const place = placeOf(input);
      let value = 0;
      const file = (now: SealableFile | undefined) => {
        const next = incrementIn(now, input);
        ({ value } = next);
        return next.file;
      };
      const { etag, seq } = await writePath.submit({
        op: 'increment',
        ...place,
        file,
        durability: input.durability,
        ...callerOf(caller),
      });
      return { ...place, etag: etag ?? '', seq, value };
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
  return { key, scope, tags: [...tags], etag, updatedAt: isoTime(atMs), ...threadOf(entry) };
}
