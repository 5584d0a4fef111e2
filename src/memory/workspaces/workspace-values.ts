/** Reading and writing in a workspace: each write is a commit on its branch, durable when it returns. */

import { AppError } from '../../kernel/errors.ts';
import type { MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import type { FileCodec, SealableFile } from '../encryption/file-codec.ts';
import { type MemoryFile, normalizeTags } from '../files/memory-file.ts';
import { readMain } from '../git/move-ref.ts';
import type { HandlerParts } from '../operations/handler-parts.ts';
import { decodeCursor, encodeCursor } from '../operations/page-cursor.ts';
import { type Place, defaultScope, isoTime, placeOf, threadOf } from '../operations/place.ts';
import { createPlacement } from '../placement.ts';
import type { PastValue } from '../versions/read-version.ts';
import { type Change, recordOf } from '../write-change.ts';
import type { WriteRecord } from '../write-record.ts';
import {
  type WorkspaceFile,
  listWorkspaceFiles,
  readOrigins,
  readWorkspaceFiles,
} from './workspace-files.ts';
import type { WorkspaceRefTable } from './workspace-refs.ts';

const maxAttempts = 20;
const defaultPage = 100;
const defaultHits = 20;
/** Files that are read at once, to see which have the tags that were asked for. */
const pageOfTags = 500;

/** A change whose value is known. */
type WorkspaceChange = Omit<Change, 'file'> & { readonly file?: SealableFile };

/** What a write in a workspace did. */
interface Written {
  readonly etag: string | null;
  readonly seq: number;
  readonly isChanged: boolean;
}

export interface WorkspaceValues {
  /** Throws NOT_FOUND for no workspace, MEMORY_CHANGED, and what Git or the disk failed with. */
  write(workspace: string, change: WorkspaceChange): Promise<Written>;
  retrieve(workspace: string, input: MemoryInput<'retrieve'>): Promise<MemoryOutput<'retrieve'>>;
  list(workspace: string, input: MemoryInput<'list'>): Promise<MemoryOutput<'list'>>;
  search(workspace: string, input: MemoryInput<'search'>): Promise<MemoryOutput<'search'>>;
}

/** The values of all workspaces. */
export function createWorkspaceValues(parts: HandlerParts, refs: WorkspaceRefTable): WorkspaceValues {
  const { git, reader, searcher, versions, codec, writer, writePath, clock, settleHistory } = parts;
  const index = parts.index.rows;
  const placement = createPlacement(index);
  const main = () => readMain(git.repositoryDir);
  let lastWrite: Promise<unknown> = Promise.resolve();

  /** The value at a commit; what has expired is not there. */
  async function readAt(tip: string, { scope, key }: Place): Promise<PastValue | undefined> {
    const past = await versions.read(scope, key, { commit: tip });
    const expiresMs = past?.file.expiresMs;
    return expiresMs !== undefined && expiresMs <= clock.now() ? undefined : past;
  }

  async function tryWrite(workspace: string, change: WorkspaceChange): Promise<Written | undefined> {
    const { ref, tip } = refs.tipOf(workspace);
    const now = await readAt(tip, change);
    const { scope, key, ifMatch } = change;
    const actual = now?.etag ?? 'absent';
    if (ifMatch !== undefined && ifMatch !== actual)
      throw new AppError('MEMORY_CHANGED', { key, scope, actual, expected: ifMatch });
    const place = placement.pathOf(scope, key, now?.path);
    const record = toRecord(codec, change, place, now, {
      seq: writePath.nextTick(),
      atMs: clock.now(),
      replica: writePath.replica,
    });
    const { etag, seq } = record;
    if (etag === (now?.etag ?? null)) return { etag, seq, isChanged: false };
    const head = await writer.commitTo({ ref, expected: tip, records: [record] });
    return head === null ? undefined : { etag, seq, isChanged: true };
  }

  async function write(workspace: string, change: WorkspaceChange): Promise<Written> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const written = await tryWrite(workspace, change);
      if (written) return written;
    }
    throw new AppError('GIT_FAILED', { command: 'commit', problem: `workspace ${workspace} keeps moving` });
  }

  async function originsAt(tip: string) {
    await settleHistory();
    return readOrigins({ git, reader, index }, main(), tip);
  }

  /** One page of files that have the tags, and whether there are more. */
  async function takePage(files: readonly WorkspaceFile[], tags: readonly string[], limit: number) {
    const page: { file: WorkspaceFile; content: MemoryFile }[] = [];
    for (let at = 0; at < files.length && page.length <= limit; at += pageOfTags) {
      const chunk = files.slice(at, at + pageOfTags);
      for (const [i, content] of (await readWorkspaceFiles({ reader, codec }, chunk)).entries()) {
        const file = chunk[i];
        const isOver = content?.expiresMs !== undefined && content.expiresMs <= clock.now();
        if (!file || !content || isOver || !tags.every((tag) => content.tags.includes(tag))) continue;
        page.push({ file, content });
      }
    }
    return { page: page.slice(0, limit), isMore: page.length > limit };
  }

  return {
    write(workspace, change) {
      // In turn, so that writers here do not make each other begin again.
      const written = lastWrite.then(() => write(workspace, change));
      lastWrite = written.catch(() => {});
      return written;
    },

    async retrieve(workspace, input) {
      refuseVersion(input);
      const place = placeOf(input);
      const { tip } = refs.tipOf(workspace);
      const past = await readAt(tip, place);
      if (!past) throw new AppError('MEMORY_NOT_FOUND', { ...place });
      const { file, etag } = past;
      const { atMs, actor, commit } = (await originsAt(tip))({ ...place, etag });
      return {
        ...place,
        value: file.value,
        tags: [...file.tags],
        etag,
        updatedAt: isoTime(atMs),
        ...threadOf(file),
        actor,
        commit,
      };
    },

    async list(workspace, input) {
      const { tip } = refs.tipOf(workspace);
      const scope = input.scope ?? defaultScope;
      const prefix = input.prefix?.normalize('NFC') ?? '';
      const after = input.cursor === undefined ? '' : decodeCursor(input.cursor);
      const files = await listWorkspaceFiles({ git, reader, index }, tip, scope);
      const wanted = files.filter(({ key }) => key.startsWith(prefix) && key > after);
      const { page, isMore } = await takePage(
        wanted,
        normalizeTags(input.tags ?? []),
        input.limit ?? defaultPage,
      );
      const originOf = await originsAt(tip);
      const items = page.map(({ file, content }) => {
        const { key, etag } = file;
        const head = { key, scope, tags: [...content.tags], etag };
        return { ...head, updatedAt: isoTime(originOf(file).atMs), ...threadOf(content) };
      });
      const last = items.at(-1);
      return { items, ...(isMore && last && { nextCursor: encodeCursor(last.key) }) };
    },

    async search(workspace, input) {
      refuseVersion(input);
      const { tip } = refs.tipOf(workspace);
      const originOf = await originsAt(tip);
      const tags = input.tags && normalizeTags(input.tags);
      const limit = input.limit ?? defaultHits;
      const wanted = { ...input, tags, at: tip, limit, nowMs: clock.now() };
      const { hits } = await searcher.search(wanted);
      return { hits: hits.map((hit) => ({ ...hit, updatedAt: isoTime(originOf(hit).atMs) })) };
    },
  };
}

/** A workspace is looked at as it is; its former versions are named by their commits alone. */
function refuseVersion({ at }: { readonly at?: string | undefined }): void {
  if (at !== undefined)
    throw new AppError('INVALID_INPUT', { field: 'at', problem: 'cannot go with workspace' });
}

function toRecord(
  codec: FileCodec,
  change: WorkspaceChange,
  place: string,
  now: PastValue | undefined,
  origin: Pick<WriteRecord, 'seq' | 'atMs' | 'replica'>,
): WriteRecord {
  const { scope, key, file } = change;
  const subjectKid = file?.subjectKid ?? now?.file.subjectKid;
  const encoded =
    file && codec.encode(scope, { ...file, ...(subjectKid !== undefined && { subjectKid }), key });
  return recordOf(change, encoded, { place, currentPath: now?.path }, origin);
}
