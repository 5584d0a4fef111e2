/** The search operation: the same query and rank over the current state or a former one. */

import type { MemoryOutput } from '../../kernel/memory-operations.ts';
import { decodeMemoryFile } from '../files/memory-file.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import type { Git } from '../git/run-git.ts';
import { type MemoryIndex, kindOfPath } from '../index/memory-index.ts';
import type { VersionReader } from '../versions/read-version.ts';
import { type ParsedQuery, parseQuery } from './query.ts';
import { indexCommit } from './search-at.ts';
import { textOf } from './search-table.ts';
import { snippetOf } from './snippet.ts';

interface SearchInput {
  readonly query: string;
  readonly scope?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly at?: string | undefined;
  readonly limit: number;
  readonly nowMs: number;
}

interface SearchSource {
  readonly git: Git;
  readonly reader: ObjectReader;
  readonly index: MemoryIndex;
  readonly versions: VersionReader;
}

/** Hits, best first; none for a query without a word in it. */
export async function searchMemories(
  source: SearchSource,
  input: SearchInput,
): Promise<MemoryOutput<'search'>> {
  const parsed = parseQuery(input.query);
  if (!parsed) return { hits: [] };
  if (input.at === undefined) return { hits: findHits(source.index, parsed, input) };
  const moment = await source.versions.resolve(input.at, { scope: input.scope ?? 'any', key: input.query });
  const commit = 'commit' in moment ? moment.commit : source.index.versions.commitAt(moment.atMs);
  if (commit === undefined) return { hits: [] };
  using past = await indexCommit(source, commit, input.scope);
  // At a commit nothing has expired: what was written then is what was asked for.
  return { hits: findHits(past, parsed, { ...input, nowMs: 'commit' in moment ? 0 : moment.atMs }) };
}

function findHits(
  index: MemoryIndex,
  parsed: ParsedQuery,
  input: SearchInput,
): MemoryOutput<'search'>['hits'] {
  const { scope, tags, nowMs, limit } = input;
  return index.search(parsed.match, { scope, tags, nowMs, limit }).map((entry) => {
    const { value } = decodeMemoryFile(kindOfPath(entry.path), entry.content);
    return {
      key: entry.key,
      scope: entry.scope,
      score: entry.score,
      snippet: snippetOf(textOf(value), parsed.words),
      tags: [...entry.tags],
      etag: entry.etag,
      updatedAt: new Date(entry.atMs).toISOString(),
    };
  });
}
