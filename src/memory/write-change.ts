/** A change that someone wants, before it is checked and accepted. */

import { AppError } from '../kernel/errors.ts';
import { type SealableFile, subjectKidOf } from './encryption/file-codec.ts';
import { type FileKind, siblingPaths, withKind } from './files/key-path.ts';
import { blobId } from './files/memory-file.ts';
import type { WriteOp, WriteRecord } from './write-record.ts';

type NewFile = Omit<SealableFile, 'key'>;

/** A change that someone wants. */
export interface Change {
  readonly op: WriteOp;
  readonly scope: string;
  /** Normalized. */
  readonly key: string;
  /** What to keep, or how it comes from what is there now; undefined deletes. */
  readonly file?: NewFile | ((now: SealableFile | undefined) => NewFile | undefined);
  /** An etag, or `absent`. */
  readonly ifMatch?: string | undefined;
  /** Deletes also what has expired and so is not there for others. */
  readonly isExpiry?: boolean;
  /** Files of the repository that go in the same commit; the change counts as one even if the value stays. */
  readonly removePaths?: readonly string[];
  readonly actor: string;
  readonly agent: string;
  readonly requestId?: string | undefined;
  /** Relaxed ones are acknowledged when they are with the operating system, before the disk has them. */
  readonly durability?: 'strict' | 'relaxed' | undefined;
}

/** Throws MEMORY_CHANGED when the change asks for another etag than this. */
export function requireMatch({ scope, key, ifMatch }: Change, etag: string | null): void {
  const actual = etag ?? 'absent';
  if (ifMatch === undefined || ifMatch === actual) return;
  throw new AppError('MEMORY_CHANGED', { key, scope, actual, expected: ifMatch });
}

/** Whose data a memory is it stays, whoever writes it. */
export function keptSubject(
  file: NewFile,
  state: { readonly path?: string; readonly content: Uint8Array | null } | undefined,
): Pick<SealableFile, 'subjectKid'> {
  if (file.subjectKid !== undefined || state?.path === undefined || state.content === null) return {};
  const subjectKid = subjectKidOf(state.path, state.content);
  return subjectKid === undefined ? {} : { subjectKid };
}

/**
 * The record of a change: its file, if there is one after it, goes to `place`, and takes the same key's other files
 * away.
 */
export function recordOf(
  change: Omit<Change, 'file'>,
  encoded: { readonly bytes: Buffer; readonly kind: FileKind } | undefined,
  { place, currentPath }: { readonly place: string; readonly currentPath: string | undefined },
  origin: Pick<WriteRecord, 'seq' | 'atMs' | 'replica'>,
): WriteRecord {
  const { op, scope, key, actor, agent, requestId, removePaths = [] } = change;
  const content = encoded?.bytes ?? null;
  const path = encoded ? withKind(place, encoded.kind) : (currentPath ?? place);
  const siblings = siblingPaths(place);
  const others = siblings.filter((other) => other !== path);
  if (currentPath !== undefined && currentPath !== path && !siblings.includes(currentPath))
    others.push(currentPath);
  return {
    ...origin,
    op,
    scope,
    key,
    path,
    removePaths: removePaths.length === 0 ? others : [...others, ...removePaths],
    etag: content && blobId(content),
    content,
    actor,
    agent,
    ...(requestId !== undefined && { requestId }),
  };
}
