/** What the memory and its Git worker say to each other. File contents travel as one transferred buffer. */

import { AppError, type ErrorCode, type ErrorData, isAppError } from '../../kernel/errors.ts';
import { toStorageError } from '../journal/journal.ts';
import type { WriteRecord } from '../write-record.ts';
import type { CommitOutcome } from './git-writer.ts';

export interface WorkerOptions {
  readonly repositoryDir: string;
  readonly journalDir: string;
  /** SQLite file whose write-ahead log is folded in with the upkeep. */
  readonly indexPath: string;
}

export type WorkerRequest =
  | { readonly id: number; readonly op: 'commit'; readonly batch: PackedBatch }
  | { readonly id: number; readonly op: 'upkeep' }
  | { readonly id: number; readonly op: 'close' };

export type WorkerAnswer =
  | { readonly id: number; readonly outcome: CommitOutcome | boolean }
  | { readonly id: number; readonly code: ErrorCode; readonly data: ErrorData };

/** Records without their contents, and all contents one after another. */
export interface PackedBatch {
  readonly heads: readonly (Omit<WriteRecord, 'content'> & { readonly bytes: number | null })[];
  readonly contents: Uint8Array<ArrayBuffer>;
}

/** Copies a batch into a form that can be transferred to another thread. */
export function packBatch(records: readonly WriteRecord[]): PackedBatch {
  const total = records.reduce((sum, record) => sum + (record.content?.length ?? 0), 0);
  const contents = new Uint8Array(total);
  let at = 0;
  const heads = records.map(({ content, ...head }) => {
    if (content) contents.set(content, at);
    at += content?.length ?? 0;
    return { ...head, bytes: content?.length ?? null };
  });
  return { heads, contents };
}

/** The records of a packed batch; contents are views of its buffer. */
export function unpackBatch(batch: PackedBatch): WriteRecord[] {
  let at = 0;
  return batch.heads.map(({ bytes, ...head }) => {
    const start = at;
    at += bytes ?? 0;
    return { ...head, content: bytes === null ? null : batch.contents.subarray(start, at) };
  });
}

/** A failure in the worker as data: our own codes stay, the rest is about the disk. */
export function toFailure(id: number, error: unknown, path: string): WorkerAnswer {
  const known = isAppError(error) ? error : toStorageError(error, path);
  return { id, code: known.code, data: known.data };
}

/** The failure of an answer as the error to throw. */
export function fromFailure(answer: { readonly code: ErrorCode; readonly data: ErrorData }): AppError {
  return new AppError(answer.code, answer.data);
}
