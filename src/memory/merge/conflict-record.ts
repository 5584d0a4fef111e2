/**
 * What is kept of a conflict: a file `conflicts/<path>/<id>.json` beside the value that stays at its path. It
 * says winner and loser, not ours and theirs, so that two replicas write the same bytes.
 */

import { canonicalJson } from '../files/canonical-json.ts';
import { blobId } from '../files/memory-file.ts';
import { rawPathMark } from '../git/tree-cache.ts';
import type { ConflictKind } from './merge-type.ts';
import { isJsonObject } from './same-json.ts';

/** Folder of the records in the tree. */
export const conflictFolder = 'conflicts';

export interface ConflictSide {
  /** Blob id; null when the side had deleted it. */
  readonly blob: string | null;
  readonly path: string;
  /** Milliseconds since the Unix epoch, of the side's last change. */
  readonly atMs: number;
  readonly actor: string;
}

export interface ConflictRecord {
  readonly kind: ConflictKind;
  /** Missing for a file that is no memory. */
  readonly scope?: string;
  readonly key?: string;
  /** Where the value stays. */
  readonly path: string;
  readonly winner: ConflictSide;
  readonly loser: ConflictSide;
  /** Blob and path of the common ancestor; null when there was none. */
  readonly base: { readonly blob: string; readonly path: string } | null;
  /** Blob at `path` after the merge; null when nothing is there. */
  readonly merged: string | null;
  /** JSON Pointers of the places where the loser lost; empty text is the whole value. */
  readonly fields: readonly string[];
  /** The two commits that were merged, sorted. */
  readonly commits: readonly string[];
}

/** What a conflict is about, in short. */
export type ConflictNote = Pick<ConflictRecord, 'scope' | 'key' | 'path' | 'kind'>;

/** Path and bytes of a record; its id comes from its content. */
export function encodeConflict(record: ConflictRecord): { readonly path: string; readonly content: Buffer } {
  const fields = record.fields.toSorted();
  const content = Buffer.from(`${canonicalJson({ ...record, fields })}\n`, 'utf8');
  return { path: `${folderOf(record.path)}/${blobId(content).slice(0, 16)}.json`, content };
}

/** The folder of a file's records. */
function folderOf(path: string): string {
  if (!path.startsWith(rawPathMark)) return `${conflictFolder}/${path}`;
  return `${conflictFolder}/${path.slice(1).split('/').map(encodeURIComponent).join('/')}`;
}

/** The record's id by its path; undefined for a path that is none of a record. */
export function conflictIdOf(path: string): string | undefined {
  return new RegExp(`^${conflictFolder}/.+/([0-9a-f]{16})\\.json$`, 's').exec(path)?.[1];
}

/** Reads a record; undefined for what somebody else put there. */
export function decodeConflict(content: Uint8Array): ConflictRecord | undefined {
  let data: unknown;
  try {
    data = JSON.parse(Buffer.from(content).toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isJsonObject(data)) return undefined;
  const { winner, loser, base, path, kind, fields } = data;
  const isWhole =
    typeof path === 'string' &&
    typeof kind === 'string' &&
    Array.isArray(fields) &&
    isSide(winner) &&
    isSide(loser) &&
    (base === null || (isJsonObject(base) && isBlobId(base['blob']) && typeof base['path'] === 'string'));
  return isWhole ? (data as unknown as ConflictRecord) : undefined;
}

function isSide(side: unknown): boolean {
  if (!isJsonObject(side)) return false;
  const { blob, path, atMs, actor } = side;
  const isKnown = typeof path === 'string' && typeof actor === 'string' && Number.isSafeInteger(atMs);
  return isKnown && (blob === null || isBlobId(blob));
}

/** A record is data that anyone may push: what is no id must not get to Git. */
function isBlobId(id: unknown): boolean {
  return typeof id === 'string' && /^[0-9a-f]{40}$/.test(id);
}
