/**
 * How fast the index takes values and answers searches: `node bench/search.ts [--keys N] [--queries N]
 * [--folder <on the disk to measure>]`, 100,000 values of about 1 KB and 100 queries a kind unless told otherwise.
 * Beside each kind of query its limit: the same words looked up by FTS5 without any rank. Where the machine is shared,
 * take the processor time (`cpu…`).
 * Last line: one JSON object. Take the ratios, not the absolutes.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { silentLogger } from '../src/kernel/log.ts';
import { keyPath } from '../src/memory/files/key-path.ts';
import { keylessCodec } from '../src/memory/encryption/file-codec.ts';
import { blobId, decodeMemoryFile, encodeMemoryFile } from '../src/memory/files/memory-file.ts';
import { createObjectReader } from '../src/memory/git/object-reader.ts';
import { createGit } from '../src/memory/git/run-git.ts';
import { type MemoryIndex, openMemoryIndex } from '../src/memory/index/memory-index.ts';
import { createIndexWords } from '../src/memory/search/index-words.ts';
import { formExpression } from '../src/memory/search/postings.ts';
import { parseQuery } from '../src/memory/search/query.ts';
import { type SearchInput, searchMemories } from '../src/memory/search/search-memories.ts';
import { createSearchWriter, searchTable } from '../src/memory/search/search-table.ts';
import { createVersionReader } from '../src/memory/versions/read-version.ts';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '100' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const keys = Number(values.keys);
const queries = Number(values.queries);
const vocabulary = 50_000;
const wordsPerValue = 150;
const nowMs = Date.UTC(2026, 10, 1);

/** The same row of numbers in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = createRandom(42);
/** Words as a language has them: the second is half as frequent as the first, and so on (Zipf). */
const shares = new Float64Array(vocabulary);
for (let i = 0, sum = 0; i < vocabulary; i++) shares[i] = sum += 1 / (i + 2);

function pickWord(): number {
  const wanted = random() * (shares.at(-1) ?? 0);
  let low = 0;
  let high = vocabulary - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((shares[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

const syllables = 'ka lo mi tu re sa vo ni pe da'.split(' ');
/** Pronounceable and the same in every run: 7 → `ni`, 4213 → `retumilo`. */
const wordAt = (rank: number): string =>
  String(rank).replaceAll(/\d/g, (digit) => syllables[Number(digit)] ?? '');

function entryAt(i: number, version: number) {
  const text = Array.from({ length: wordsPerValue }, () => wordAt(pickWord())).join(' ');
  const key = `bench/folder${i % 100}/k${i}`;
  const scope = i % 1000 === 0 ? 'category:rare' : 'shared';
  const thread = i % 10 === 0 ? { thread: `t${Math.floor(i / 1000)}`, sequence: i / 10 } : {};
  const tags = [`tag${i % 50}`];
  const content = encodeMemoryFile({ key, tags, value: `${version} ${text}`, ...thread });
  const path = keyPath(scope, key, 'text');
  const atMs = nowMs - (keys - i) * 60_000;
  return { scope, key, path, etag: blobId(content), atMs, actor: 'bench', commit: null, seq: i, content };
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** Time that this process had a processor, in milliseconds. */
function cpuNowMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Puts entries in groups, as the journal hands them over; microseconds a write, and of the slowest group. */
function measurePuts(
  index: MemoryIndex,
  count: number,
  groupSize: number,
  entryOf: (i: number) => ReturnType<typeof entryAt>,
) {
  let spentMs = 0;
  let slowestMs = 0;
  let cpuMs = 0;
  for (let first = 0; first < count; first += groupSize) {
    const group = Array.from({ length: Math.min(groupSize, count - first) }, (_, at) => entryOf(first + at));
    const before = performance.now();
    const cpuBefore = cpuNowMs();
    index.transaction(() => {
      for (const entry of group) index.put(entry);
    });
    const tookMs = performance.now() - before;
    spentMs += tookMs;
    cpuMs += cpuNowMs() - cpuBefore;
    slowestMs = Math.max(slowestMs, tookMs);
  }
  const usEach = round((1000 * spentMs) / count);
  const cpuUsEach = round((1000 * cpuMs) / count);
  return {
    perSecond: Math.round((1000 * count) / spentMs),
    usEach,
    cpuUsEach,
    slowestGroupMs: round(slowestMs),
  };
}

/** Makes the full text that is still to be made, in slices as the index thread does. */
function measureText(index: MemoryIndex) {
  const count = index.unindexedCount;
  const start = performance.now();
  while (index.unindexedCount > 0) index.transaction(() => index.writeText(32));
  return { count, usEach: round((1000 * (performance.now() - start)) / count) };
}

function percentiles(latencies: number[]) {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1) };
}

const between = (low: number, high: number) => wordAt(low + Math.floor(random() * (high - low)));
const kinds: Readonly<Record<string, () => Omit<SearchInput, 'nowMs'>>> = {
  rare: () => ({ query: between(20_000, 50_000) }),
  medium: () => ({ query: between(500, 5000) }),
  common: () => ({ query: between(0, 20) }),
  twoWords: () => ({ query: `${between(20, 2000)} ${between(20, 2000)}` }),
  twoCommon: () => ({ query: `${between(0, 20)} ${between(0, 20)}` }),
  rareAndCommon: () => ({ query: `${between(20_000, 50_000)} ${between(0, 20)}` }),
  sixWords: () => ({ query: Array.from({ length: 6 }, () => wordAt(pickWord())).join(' ') }),
  commonInScope: () => ({ query: between(0, 20), scope: 'category:rare' }),
  commonSince: () => ({ query: between(0, 20), since: '2026-10-31' }),
  commonInThread: () => ({ query: between(0, 20), thread: `t${Math.floor((random() * keys) / 1000)}` }),
  phrase: () => ({ query: `"${between(0, 200)} ${between(0, 200)}"` }),
  beginning: () => ({ query: `${between(10, 100).slice(0, 3)}*` }),
};

async function measureSearch(index: MemoryIndex, db: DatabaseSync, folder: string) {
  const git = createGit(folder);
  await using reader = createObjectReader(git);
  const source = {
    git,
    reader,
    index,
    versions: createVersionReader(index, reader, keylessCodec),
    codec: keylessCodec,
    sealed: () => undefined,
  };
  const match = db.prepare('SELECT count(*) FROM search WHERE search MATCH ?');
  const figures: Record<string, object> = {};
  for (const [kind, queryOf] of Object.entries(kinds)) {
    const inputs = Array.from({ length: queries }, queryOf);
    const latencies: number[] = [];
    const limits: number[] = [];
    const cpu: number[] = [];
    let hits = 0;
    let bounded = 0;
    for (const input of inputs) {
      const before = performance.now();
      const cpuBefore = cpuNowMs();
      const found = await searchMemories(source, { ...input, nowMs });
      latencies.push(performance.now() - before);
      cpu.push(cpuNowMs() - cpuBefore);
      hits += found.hits.length;
      bounded += found.notes ? 1 : 0;
      const words = parseQuery(input.query)?.words ?? [];
      const expression = words
        .map(({ forms }) => forms.slice(0, 1).map(formExpression).join(' OR '))
        .join(' OR ');
      const start = performance.now();
      match.get(expression);
      limits.push(performance.now() - start);
    }
    const withoutRank = percentiles(limits);
    figures[kind] = {
      ...percentiles(latencies),
      cpu: percentiles(cpu),
      withoutRank,
      hits: hits / inputs.length,
      noted: bounded,
    };
    if (hits === 0) throw new Error(`no search of the kind ${kind} found anything`);
    process.stdout.write(`${kind}: ${JSON.stringify(figures[kind])}\n`);
  }
  return figures;
}

/** The search's part of a write alone: finding the words, and giving them to FTS5. */
function measureWords() {
  const count = Math.min(keys, 20_000);
  const indexWords = createIndexWords();
  const texts = Array.from({ length: count }, (_, i) => entryAt(i, 2));
  const files = texts.map(({ content }) => decodeMemoryFile('text', content));
  const start = performance.now();
  for (const [i, file] of files.entries()) indexWords('shared', texts[i]?.key ?? '', file);
  const wordsUsEach = round((1000 * (performance.now() - start)) / count);
  using db = new DatabaseSync(':memory:');
  db.exec(searchTable);
  const writer = createSearchWriter(db);
  const before = performance.now();
  db.exec('BEGIN');
  for (const [i, file] of files.entries())
    writer.put(i + 1, { scope: 'shared', key: texts[i]?.key ?? '' }, file);
  db.exec('COMMIT');
  const putUsEach = round((1000 * (performance.now() - before)) / count);
  return { wordsUsEach, putUsEach };
}

/** Search by meaning: putting vectors, the first question, which reads them all, and those after it. */
function measureVectors(index: MemoryIndex, dimensions: number) {
  const count = Math.min(keys, 100_000);
  const vectorOf = () => Float32Array.from({ length: dimensions }, () => random() - 0.5);
  const vectors = Array.from({ length: 1000 }, vectorOf);
  index.vectors.useModel('bench');
  const start = performance.now();
  index.transaction(() => {
    for (let id = 1; id <= count; id++) index.vectors.put(id, vectors[id % 1000]);
  });
  const putUsEach = round((1000 * (performance.now() - start)) / count);
  const before = performance.now();
  index.vectors.nearest(vectorOf(), 300);
  const firstMs = round(performance.now() - before);
  const latencies = Array.from({ length: 20 }, () => {
    const from = performance.now();
    index.vectors.nearest(vectorOf(), 300);
    return performance.now() - from;
  });
  return { count, dimensions, putUsEach, firstMs, ...percentiles(latencies) };
}

const folder = await mkdtemp(join(values.folder, 'git-memory-bench-'));
try {
  const path = join(folder, 'index.sqlite');
  using index = openMemoryIndex(path, silentLogger);
  const inserts = measurePuts(index, keys, 200, (i) => entryAt(i, 0));
  process.stdout.write(`inserts: ${JSON.stringify(inserts)}\n`);
  const updates = measurePuts(index, Math.min(keys, 20_000), 200, () =>
    entryAt(Math.floor(random() * keys), 1),
  );
  process.stdout.write(`updates: ${JSON.stringify(updates)}\n`);
  const text = measureText(index);
  process.stdout.write(`text: ${JSON.stringify(text)}\n`);
  using db = new DatabaseSync(path);
  db.exec('PRAGMA cache_size = -65536; PRAGMA wal_checkpoint(TRUNCATE)');
  const size = db.prepare('SELECT sum(length(block)) AS bytes FROM search_data').get() as { bytes: number };
  const searchBytesPerKey = Math.round(size.bytes / keys);
  const diskBytesPerKey = Math.round(statSync(path).size / keys);
  const search = await measureSearch(index, db, folder);
  const vectors = measureVectors(index, 768);
  process.stdout.write(`vectors: ${JSON.stringify(vectors)}\n`);
  const words = measureWords();
  process.stdout.write(`words: ${JSON.stringify(words)}\n`);
  const figures = {
    keys,
    inserts,
    updates,
    text,
    words,
    diskBytesPerKey,
    searchBytesPerKey,
    search,
    vectors,
  };
  process.stdout.write(`${JSON.stringify({ bench: 'search', ...figures })}\n`);
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
