/** A memory as it was at a commit or a date. */

import { AppError } from '../../kernel/errors.ts';
import type { FileCodec, SealableFile } from '../encryption/file-codec.ts';
import { keyPath } from '../files/key-path.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import type { IndexReader } from '../index/index-reader.ts';
import { parseAt } from './parse-at.ts';
import { snapshotRefs } from './snapshots.ts';
import type { Version } from '../index/version-table.ts';

/** A moment of the history. */
export type Moment = { readonly commit: string } | { readonly atMs: number };

/** A value at a moment. */
export interface PastValue {
  readonly file: SealableFile;
  readonly path: string;
  readonly etag: string;
  readonly content: Uint8Array;
  /** Who made it, when, in which commit; missing only for a commit that is on no way to main. */
  readonly version?: Version | undefined;
}

export interface VersionReader {
  /** Which moment `at` names. Throws INVALID_INPUT, or MEMORY_VERSION_NOT_FOUND for an unknown commit. */
  resolve(at: string, about: { readonly scope: string; readonly key: string }): Promise<Moment>;
  /** The value at a moment, undefined when there was none. Throws MEMORY_SEALED. */
  read(scope: string, key: string, moment: Moment): Promise<PastValue | undefined>;
}

/** Reads versions that are in Git; flush before, so that all are. */
export function createVersionReader(
  index: IndexReader,
  reader: ObjectReader,
  codec: FileCodec,
): VersionReader {
  async function findCommit(prefix: string): Promise<string | undefined> {
    const object = await reader.read(`${prefix}^{commit}`);
    if (object === 'ambiguous') {
      throw new AppError('INVALID_INPUT', {
        field: 'at',
        problem: `${prefix} is ambiguous, give more digits`,
      });
    }
    return object?.id;
  }

  async function readAtTime(scope: string, key: string, atMs: number): Promise<PastValue | undefined> {
    const version = index.versions.atTime(scope, key, atMs);
    if (!version || version.etag === null) return undefined;
    const object = await reader.read(version.etag);
    if (!object || object === 'ambiguous') return undefined;
    const { path, etag } = version;
    const file = codec.decode(scope, path, object.content);
    if (file.expiresMs !== undefined && file.expiresMs <= atMs) return undefined;
    return { file, path, etag, content: object.content, version };
  }

  async function readAtCommit(scope: string, key: string, commit: string): Promise<PastValue | undefined> {
    const own = [keyPath(scope, key, 'json'), keyPath(scope, key, 'text')];
    for (const path of new Set([...own, ...index.versions.pathsOf(scope, key)])) {
      const object = await reader.read(`${commit}:${path}`);
      if (!object || object === 'ambiguous' || object.type !== 'blob') continue;
      const upTo = index.versions.ordinalOf(commit) ?? Number.MAX_SAFE_INTEGER;
      const version = index.versions.withEtag(scope, key, object.id, upTo);
      const file = codec.decode(scope, path, object.content);
      return { file, path, etag: object.id, content: object.content, version };
    }
    return undefined;
  }

  return {
    async resolve(at, about) {
      const specs = parseAt(at);
      for (const spec of specs) {
        if ('atMs' in spec) return spec;
        const commit = await findCommit(
          'snapshot' in spec ? snapshotRefs + spec.snapshot : spec.commitPrefix,
        );
        if (commit !== undefined) return { commit };
      }
      if (specs.length > 0) throw new AppError('MEMORY_VERSION_NOT_FOUND', { version: at, ...about });
      const problem = 'must be a commit id (4 to 40 hex digits), an ISO 8601 date or snap:<name>';
      throw new AppError('INVALID_INPUT', { field: 'at', problem });
    },
    read(scope, key, moment) {
      if ('atMs' in moment) return readAtTime(scope, key, moment.atMs);
      return readAtCommit(scope, key, moment.commit);
    },
  };
}
