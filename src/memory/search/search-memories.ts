/** The search operation: the same query and rank over the current state or a former one. */

import { AppError } from '../../kernel/errors.ts';
import type { MemoryInput, MemoryOutput } from '../../kernel/memory/operations.ts';
import { normalizeTags } from '../files/memory-file.ts';
import type { FileCodec } from '../encryption/file-codec.ts';
import type { ObjectReader } from '../git/object-reader.ts';
import type { Git } from '../git/run-git.ts';
import type { IndexReader } from '../index/index-reader.ts';
import { parseDateSpan } from '../versions/parse-at.ts';
import type { VersionReader } from '../versions/read-version.ts';
import { type FusedHit, fuseRanks } from './fuse-ranks.ts';
import { textOf } from './index-words.ts';
import { type ParsedQuery, holdsPhrase, parseQuery } from './query.ts';
import { rankHits } from './rank-hits.ts';
import type { FoundRows } from './search-reader.ts';
import { indexCommit } from './search-at.ts';
import type { SearchFilter } from './search-filter.ts';
import { wordsOf } from '../../kernel/text/segment.ts';
import { snippetOf } from './snippet.ts';
import { fitTokens } from '../../kernel/text/token-budget.ts';

type SearchOutput = MemoryOutput<'search'>;
type SearchHit = SearchOutput['hits'][number];

/** What to search for, and when "now" is, in milliseconds since the Unix epoch. */
export type SearchInput = Omit<MemoryInput<'search'>, 'workspace'> & { readonly nowMs: number };

/** Memories whose meaning is near a text. */
export interface SemanticSearch {
  /** Nearest first; undefined when the provider cannot be reached. */
  nearest(
    query: string,
    filter: SearchFilter,
    limit: number,
  ): Promise<readonly { readonly id: number; readonly similarity: number }[] | undefined>;
}

/** What is searched. */
export interface SearchSource {
  readonly git: Git;
  readonly reader: ObjectReader;
  readonly index: IndexReader;
  readonly versions: VersionReader;
  readonly codec: FileCodec;
  /** Sealed memories as they are now, opened; `index` has none of their text. */
  readonly sealed: () => IndexReader | undefined;
  /** Search by meaning, in the current state only. */
  readonly semantic?: SemanticSearch | undefined;
}

const defaultHits = 20;
/** Rows whose order is decided with neighbours, age and meaning. */
const minPool = 300;

/** Hits, best first; none for a query without a word in it. Throws INVALID_INPUT for dates that are none. */
export async function searchMemories(source: SearchSource, input: SearchInput): Promise<SearchOutput> {
  const filter = filterOf(input);
  const query = parseQuery(input.query);
  if (input.at === undefined) return answer(source, query, filter, input);
  if (!query) return toOutput([], input, [noWord]);
  const { git, reader, index, versions, codec } = source;
  const place = { scope: filter.scopes?.[0] ?? 'any', key: input.query };
  const moment = await versions.resolve(input.at, place);
  const commit = 'commit' in moment ? moment.commit : index.versions.commitAt(moment.atMs);
  if (commit === undefined) return toOutput([], input, ['There was no memory at that time.']);
  using past = await indexCommit({ git, reader, index, codec }, commit, filter.scopes);
  // At a commit nothing has expired: what was written then is what was asked for.
  const then = { ...filter, nowMs: 'commit' in moment ? 0 : moment.atMs };
  return answer({ index: past, codec, sealed: () => undefined }, query, then, input);
}

const noWord = 'The query has no word in it.';

async function answer(
  { index, sealed, codec, semantic }: Pick<SearchSource, 'index' | 'sealed' | 'codec' | 'semantic'>,
  query: ParsedQuery | undefined,
  filter: SearchFilter,
  input: SearchInput,
): Promise<SearchOutput> {
  const { limit = defaultHits, exclude = [], recency = 'mild', neighbors = true, nowMs } = input;
  const poolSize = Math.max(minPool, limit);
  const useSemantic = semantic !== undefined && input.semantic !== false;
  const near = useSemantic ? await semantic.nearest(input.query, filter, poolSize) : undefined;
  const options = { neighbors, recency, nowMs };
  const findIn = (where: IndexReader, asked: ParsedQuery, nearest: typeof near) => {
    const found = where.search.find(asked, filter, exclude, poolSize);
    const ranked = rankHits(where.search, found.rows, filter, options);
    const fused = fuseRanks(where.search, ranked, nearest, filter);
    return { found, hits: readHits({ index: where, codec }, fused, asked, input, limit) };
  };
  const opened = sealed();
  const find = (asked: ParsedQuery) => {
    const inClear = findIn(index, asked, near);
    return opened ? joinFound(inClear, findIn(opened, asked, undefined), limit) : inClear;
  };
  const notes: string[] = [];
  let { found, hits } = find(query ?? { words: [], phrases: [] });
  if (query && query.phrases.length > 0 && hits.length === 0) {
    ({ found, hits } = find({ ...query, phrases: [] }));
    if (hits.length > 0)
      notes.push('Nothing holds the quoted words as they are; these hits have some of them.');
  }
  if (!query) notes.push(noWord);
  if (found.bounded.length > 0) {
    notes.push(
      `Very common, so only the newest memories with them were looked at: ${found.bounded.join(', ')}.`,
    );
  }
  if (found.isCut) notes.push('Not all memories with these words were looked at: there are too many.');
  const unsearched = found.left > 0 ? { unsearched: found.left } : {};
  const output = { ...toOutput(hits, input, notes), ...unsearched };
  return useSemantic ? { ...output, semantic: near ? 'used' : 'unavailable' } : output;
}

interface Found {
  readonly found: Pick<FoundRows, 'bounded' | 'isCut' | 'left'>;
  readonly hits: SearchHit[];
}

/** Hits of two collections; each was ranked by the words of its own. */
function joinFound(a: Found, b: Found, limit: number): Found {
  return {
    found: {
      bounded: [...new Set([...a.found.bounded, ...b.found.bounded])],
      isCut: a.found.isCut || b.found.isCut,
      left: a.found.left + b.found.left,
    },
    hits: [...a.hits, ...b.hits].sort((one, other) => other.score - one.score).slice(0, limit),
  };
}

/** The hits as they are answered; what only seemed to have a phrase or lacks what is excluded is passed over. */
function readHits(
  { index, codec }: Pick<SearchSource, 'index' | 'codec'>,
  ranked: readonly FusedHit[],
  query: ParsedQuery,
  input: SearchInput,
  limit: number,
): SearchHit[] {
  const hits: SearchHit[] = [];
  const excluded = (input.exclude ?? []).map((text) => wordsOf(text));
  for (const row of ranked) {
    if (hits.length >= limit) break;
    const memory = index.search.memoryOf(row.id);
    if (!memory) continue;
    const { file } = codec.inspect(memory.scope, memory.path, memory.content);
    if (!file) continue;
    const { value, thread, sequence } = file;
    const text = textOf(value);
    const has = (phrase: readonly string[]) =>
      [text, memory.key, ...memory.tags].some((part) => holdsPhrase(part, phrase));
    if (!query.phrases.every(has)) continue;
    // Words mostly keep these away; what came by a neighbour or by meaning is only seen here.
    if (excluded.some((phrase) => phrase.length > 0 && has(phrase))) continue;
    const { text: snippet, highlights } = snippetOf(text, query.words);
    hits.push({
      key: memory.key,
      scope: memory.scope,
      score: round(row.final),
      snippet,
      highlights: highlights.map(([start, end]) => [start, end]),
      tags: [...memory.tags],
      etag: memory.etag,
      updatedAt: new Date(memory.atMs).toISOString(),
      ...(thread !== undefined && { thread }),
      ...(sequence !== undefined && { sequence }),
      ...(input.explain === true && { explain: explain(row) }),
    });
  }
  return hits;
}

function explain(row: FusedHit): NonNullable<SearchHit['explain']> {
  return {
    words: row.words.map(({ word, counts, idf, score }) => ({
      word,
      ...counts,
      idf: round(idf),
      score: round(score),
    })),
    text: round(row.score),
    neighbors: round(row.neighbors),
    recency: round(row.recency),
    ...(row.textRank !== undefined && { textRank: row.textRank }),
    ...(row.semantic && {
      semantic: { rank: row.semantic.rank, similarity: round(row.semantic.similarity) },
    }),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

function toOutput(hits: SearchHit[], { maxTokens }: SearchInput, notes: readonly string[]): SearchOutput {
  const said = notes.length > 0 ? { notes: [...notes] } : {};
  if (maxTokens === undefined) return { hits, ...said };
  const { items, tokens } = fitTokens(hits, maxTokens, said);
  return { hits: items, omitted: hits.length - items.length, tokens, ...said };
}

function filterOf(input: SearchInput): SearchFilter {
  const { scope, tags, type, thread, prefix, since, until, nowMs } = input;
  return {
    scopes: typeof scope === 'string' ? [scope] : scope,
    tags: tags && normalizeTags(tags),
    type,
    thread: thread?.toWellFormed().normalize('NFC'),
    prefix: prefix?.normalize('NFC'),
    sinceMs: spanOf('since', since)?.startMs,
    untilMs: spanOf('until', until)?.endMs,
    nowMs,
  };
}

function spanOf(field: string, date: string | undefined): ReturnType<typeof parseDateSpan> {
  if (date === undefined) return undefined;
  const span = parseDateSpan(date.trim());
  if (!span) throw new AppError('INVALID_INPUT', { field, problem: 'is not an ISO 8601 date' });
  return span;
}
