/** Operations on what merges could not decide. */

import { AppError } from '../../kernel/errors.ts';
import type { MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import { toPlainJson } from '../files/canonical-json.ts';
import { type SealableFile, keylessCodec } from '../encryption/file-codec.ts';
import { readMain } from '../git/move-ref.ts';
import { type ConflictRecord, type ConflictSide, decodeConflict } from '../merge/conflict-record.ts';
import { type ConflictFile, listConflictFiles, mayBeAbout } from '../merge/list-conflicts.ts';
import type { Change } from '../write-path.ts';
import { type HandlerParts, type MemoryHandlers, readCurrent } from './handler-parts.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';
import { type Place, callerOf, isoTime, placeOf } from './place.ts';

type Row = MemoryOutput<'conflicts'>['conflicts'][number];
type Versioned = Pick<ConflictSide, 'blob' | 'path'>;

const defaultPage = 20;

/** Their handlers. */
export function createConflictHandlers(parts: HandlerParts): Pick<MemoryHandlers, 'conflicts' | 'resolve'> {
  const { git, reader, codec, writePath, clock, settleHistory, commitAll } = parts;

  async function recordsOf(scope: string | undefined): Promise<ConflictFile[]> {
    const main = readMain(git.repositoryDir);
    return main === null ? [] : listConflictFiles(git, main, scope);
  }

  async function readRecord(file: ConflictFile): Promise<ConflictRecord | undefined> {
    const object = await reader.read(file.blob);
    return object && object !== 'ambiguous' ? decodeConflict(object.content) : undefined;
  }

  /** The content of a version as a memory; undefined for a deletion, or when it cannot be read. */
  async function readFile(
    { blob, path }: Versioned,
    scope: string | undefined,
  ): Promise<SealableFile | undefined> {
    const object = blob === null ? undefined : await reader.read(blob);
    if (!object || object === 'ambiguous' || object.type !== 'blob') return undefined;
    const opener = scope === undefined ? keylessCodec : codec;
    return opener.inspect(scope ?? '', path, object.content).file;
  }

  async function toSide(side: ConflictSide, scope: string | undefined): Promise<Row['winner']> {
    const file = await readFile(side, scope);
    const { blob: etag, actor, atMs } = side;
    return { etag, ...(file && { value: file.value, tags: [...file.tags] }), actor, at: isoTime(atMs) };
  }

  async function toRow(id: string, record: ConflictRecord): Promise<Row> {
    const { kind, path, fields, scope, key, winner, loser, base, merged } = record;
    const place = scope !== undefined && key !== undefined ? { scope, key } : undefined;
    const before = base && (await readFile(base, scope));
    return {
      id,
      ...place,
      path: path.replaceAll('\0', ''),
      kind,
      fields: [...fields],
      winner: await toSide(winner, scope),
      loser: await toSide(loser, scope),
      base: base && { etag: base.blob, ...(before && { value: before.value }) },
      current: place ? (readCurrent(parts, place)?.etag ?? null) : merged,
    };
  }

  async function conflicts(input: MemoryInput<'conflicts'>): Promise<MemoryOutput<'conflicts'>> {
    await settleHistory();
    const limit = input.limit ?? defaultPage;
    const after = input.cursor === undefined ? '' : decodeCursor(input.cursor);
    const prefix = input.prefix?.normalize('NFC') ?? '';
    const rows: Row[] = [];
    let last = '';
    for (const file of await recordsOf(input.scope)) {
      if (file.path <= after || (prefix !== '' && !mayBeAbout(file, (key) => key.startsWith(prefix))))
        continue;
      if (rows.length === limit) return { conflicts: rows, nextCursor: encodeCursor(last) };
      const record = await readRecord(file);
      if (!record || !(record.key ?? '').startsWith(prefix)) continue;
      rows.push(await toRow(file.id, record));
      last = file.path;
    }
    return { conflicts: rows };
  }

  /** The conflicts of a key that are to be resolved. Throws NOT_FOUND when there are none. */
  async function findRecords({ scope, key }: Place, id: string | undefined) {
    const found: { readonly path: string; readonly record: ConflictRecord }[] = [];
    for (const file of await recordsOf(scope)) {
      if ((id !== undefined && file.id !== id) || !mayBeAbout(file, (one) => one === key)) continue;
      const record = await readRecord(file);
      if (record?.key === key && record.scope === scope) found.push({ path: file.path, record });
    }
    if (found.length === 0)
      throw new AppError('NOT_FOUND', { what: 'conflict', id: id ?? `${scope}/${key}` });
    return found;
  }

  /** What the decision puts at the key; undefined deletes it. */
  async function fileFor(
    input: MemoryInput<'resolve'>,
    records: readonly { readonly record: ConflictRecord }[],
  ): Promise<Change['file']> {
    const { use, value } = input;
    if (use === 'current') return (now) => now;
    if (use === undefined) {
      const plain = typeof value === 'string' ? value.toWellFormed() : toPlainJson(value);
      return (now) => ({ tags: [], ...now, value: plain });
    }
    const [first, ...more] = records;
    if (!first || more.length > 0) {
      const problem = `the key has ${records.length} conflicts, say which one's ${use} you mean`;
      throw new AppError('INVALID_INPUT', { field: 'id', problem });
    }
    const version = first.record[use];
    const file =
      version === null || version.blob === null ? undefined : await readFile(version, first.record.scope);
    if (version !== null && version.blob !== null && !file) {
      throw new AppError('MEMORY_VERSION_NOT_FOUND', { version: version.blob, ...placeOf(input) });
    }
    if (!file) return undefined;
    const { expiresMs, ...rest } = file;
    const isOver = expiresMs !== undefined && expiresMs <= clock.now();
    return { ...rest, ...(!isOver && expiresMs !== undefined && { expiresMs }) };
  }

  return {
    conflicts,
    async resolve(input, caller) {
      const place = placeOf(input);
      await commitAll();
      const records = await findRecords(place, input.id);
      const file = await fileFor(input, records);
      const removePaths = records.map(({ path }) => path);
      const { ifMatch } = input;
      const change = { op: 'resolve', ...place, ifMatch, removePaths, ...callerOf(caller) } as const;
      const { etag, seq } = await writePath.submit({ ...change, ...(file !== undefined && { file }) });
      return { ...place, etag, seq, resolved: records.length };
    },
  };
}
