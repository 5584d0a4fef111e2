/** Search in a former state: its files are read from Git into a throw-away index. Slow, so it is bounded. */

import { AppError } from '../../kernel/errors.ts';
import { identifyFile, needsStoredKey, scopeFolder } from '../files/key-path.ts';
import { type FileCodec, storedKeyOf } from '../encryption/file-codec.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import type { Git } from '../git/run-git.ts';
import type { IndexReader } from '../index/index-reader.ts';
import { type MemoryIndex, createTemporaryIndex } from '../index/memory-index.ts';

const maxFiles = 20_000;
const chunkFiles = 200;

/**
 * An index of the memories at a commit, of some scopes or of all; the caller disposes it. Throws
 * INVALID_INPUT over 20,000 memories.
 */
export async function indexCommit(
  source: {
    readonly git: Git;
    readonly reader: ObjectReader;
    readonly index: IndexReader;
    readonly codec: FileCodec;
  },
  commit: string,
  scopes: readonly string[] | undefined,
): Promise<MemoryIndex> {
  const { git, reader, index, codec } = source;
  const folders = scopes ? ['--', ...scopes.map((scope) => `${scopeFolder(scope)}/`)] : [];
  const out = await git.run(['ls-tree', '-r', '-z', '--full-tree', commit, ...folders]);
  const files = out.toString('utf8').split('\0').flatMap(parseLine);
  if (files.length > maxFiles) {
    const problem = `searches up to ${maxFiles} memories of a former state, there are ${files.length}: give a scope`;
    throw new AppError('INVALID_INPUT', { field: 'at', problem });
  }
  const upTo = index.versions.ordinalOf(commit) ?? Number.MAX_SAFE_INTEGER;
  const past = createTemporaryIndex(codec);
  for (let i = 0; i < files.length; i += chunkFiles) {
    const chunk = files.slice(i, i + chunkFiles);
    const objects = await Promise.all(chunk.map((file) => reader.read(file.id)));
    past.transaction(() => {
      for (const [at, object] of objects.entries()) {
        const path = chunk[at]?.path;
        if (!object || object === 'ambiguous' || path === undefined) continue;
        const storedKey = needsStoredKey(path) ? storedKeyOf(path, object.content) : undefined;
        const identity = identifyFile(path, storedKey);
        if (!identity) continue;
        const { scope, key } = identity;
        const version = index.versions.withEtag(scope, key, object.id, upTo);
        const about = {
          atMs: version?.atMs ?? 0,
          actor: version?.actor ?? '',
        };
        past.put({ scope, key, path, etag: object.id, ...about, seq: 0, content: object.content });
      }
    });
  }
  past.transaction(() => past.writeText(files.length));
  return past;
}

function parseLine(line: string): { id: string; path: string }[] {
  const [, id, path] = /^100\d{3} blob ([0-9a-f]{40})\t(.*)$/s.exec(line) ?? [];
  return id === undefined || path === undefined ? [] : [{ id, path }];
}
