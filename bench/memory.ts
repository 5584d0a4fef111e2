/**
 * What the memory does a second, beside what the disk and Git do in the same run: `node bench/memory.ts
 * [--full] [--keys 1000,1000000] [--folder <on the disk to measure>]`; `--full` adds 100,000 keys. Last line:
 * one JSON object. Take the ratios, not the absolutes.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { silentLogger } from '../src/kernel/log.ts';
import { keyPath } from '../src/memory/files/key-path.ts';
import { encodeMemoryFile } from '../src/memory/files/memory-file.ts';
import { type Memory, openMemory } from '../src/memory/open-memory.ts';
import { type FileWrite, measureAppend, measureFastImport, measureNaiveGit } from './memory-limits.ts';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    keys: { type: 'string' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const caller = { actor: 'bench', agent: 'bench' };
const usual = values.full ? [1000, 10_000, 100_000] : [1000, 10_000];
const sizes = values.keys === undefined ? usual : values.keys.split(',').map(Number);
const writerCounts = [1, 32, 256];
const words = Array.from({ length: 5000 }, (_, i) => `word${i.toString(36)}`);

/** Made before the clock runs, as the raw append has its bytes. */
const notes = Array.from({ length: 5000 }, (_, i) => {
  const picked = Array.from({ length: 110 }, (_unused, at) => words[(i * 31 + at * at * 17) % words.length]);
  return `common ${i % 1000 === 7 ? 'rare ' : ''}${picked.join(' ')}`;
});

/** About 1 KB: every value has `common`, one in a thousand `rare`, the rest by chance of a fixed row. */
const valueOf = (i: number) => ({ note: notes[i % notes.length] ?? '', i });

const keyOf = (i: number): string => `bench/k${i}`;
const round = (value: number): number => Math.round(value * 100) / 100;

function percentiles(latencies: number[]) {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}

function print(name: string, figures: object): void {
  process.stdout.write(`${name}: ${JSON.stringify(figures)}\n`);
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(values.folder, 'git-memory-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const open = (dataDir: string, maxWritesPerCommit = 100): Promise<Memory> =>
  openMemory({ dataDir, logger: silentLogger, maxWritesPerCommit });

/** Stores from `writers` loops until `isDone`; latencies in milliseconds. */
async function storeAll(memory: Memory, writers: number, first: number, isDone: (i: number) => boolean) {
  const latencies: number[] = [];
  let next = first;
  const writer = async (): Promise<void> => {
    while (!isDone(next)) {
      const i = next;
      next += 1;
      const before = performance.now();
      await memory.call('store', { key: keyOf(i), value: valueOf(i) }, caller);
      latencies.push(performance.now() - before);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: writers }, writer));
  return { latencies, seconds: (performance.now() - start) / 1000 };
}

/** Acknowledged writes with Git attached, against appending groups of as many values to a synced file. */
async function measureAcknowledged(writers: number) {
  return withFolder(async (folder) => {
    const forMs = 2000;
    const value = Buffer.from(JSON.stringify(valueOf(1)));
    const limit = await measureAppend(folder, writers, 1000, value);
    await using memory = await open(join(folder, 'data'));
    await storeAll(memory, writers, 0, (i) => i >= 500);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const end = performance.now() + forMs;
    const { latencies, seconds } = await storeAll(memory, writers, 500, () => performance.now() > end);
    delay.disable();
    const perSecond = latencies.length / seconds;
    return {
      writers,
      acknowledgedPerSecond: Math.round(perSecond),
      ...percentiles(latencies),
      eventLoopP99Ms: round(delay.percentile(99) / 1e6),
      appendPerSecond: Math.round(limit),
      ofAppend: round(perSecond / limit),
    };
  });
}

function diskBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

async function time(count: number, work: (i: number) => Promise<unknown>) {
  const latencies: number[] = [];
  for (let i = 0; i < count; i++) {
    const before = performance.now();
    await work(i);
    latencies.push(performance.now() - before);
  }
  return percentiles(latencies);
}

async function measureReads(memory: Memory, keys: number) {
  const count = keys > 10_000 ? 100 : 200;
  const search = (query: (i: number) => string, times = count) =>
    time(times, (i) => memory.call('search', { query: query(i) }, caller));
  return {
    retrieve: await time(2000, (i) => memory.call('retrieve', { key: keyOf((i * 7919) % keys) }, caller)),
    searchRare: await search(() => 'rare'),
    searchCommon: await search(() => 'common', 20),
    searchTwoWords: await search(
      (i) => `${words[(i * 37) % words.length]} ${words[(i * 53) % words.length]}`,
    ),
  };
}

/** As many writes as the commit worker takes at once. */
const flushWrites = 4000;
const maxCommitPerWrite = 5000;
const writesPerCommit = { grouped: 100, commitPerWrite: 1 };

function flushesOf(keys: number): FileWrite[][] {
  const write = (i: number): FileWrite => ({
    path: keyPath('shared', keyOf(i), 'json'),
    content: encodeMemoryFile({ key: keyOf(i), tags: [], value: valueOf(i) }),
  });
  return Array.from({ length: Math.ceil(keys / flushWrites) }, (_, flush) => {
    const first = flush * flushWrites;
    return Array.from({ length: Math.min(flushWrites, keys - first) }, (_unused, at) => write(first + at));
  });
}

/** Writes `keys` values into an empty memory until all are in Git, against fast-import making as many commits. */
async function measureCommits(
  memory: Memory,
  folder: string,
  keys: number,
  mode: keyof typeof writesPerCommit,
) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  await storeAll(memory, 256, 0, (i) => i >= keys);
  await memory.flush();
  const perSecond = (1000 * keys) / (performance.now() - start);
  delay.disable();
  const limits = { writesPerCommit: writesPerCommit[mode], budgetMs: 10_000 };
  const fastImport = await measureFastImport(join(folder, `${mode}.git`), flushesOf(keys), limits);
  return {
    committedPerSecond: Math.round(perSecond),
    fastImportPerSecond: Math.round(fastImport),
    ofFastImport: round(perSecond / fastImport),
    eventLoopP99Ms: round(delay.percentile(99) / 1e6),
    eventLoopMaxMs: round(delay.max / 1e6),
  };
}

/** Time and memory of opening a data folder in a process of its own. */
async function openInProcess(dataDir: string): Promise<{ openMs: number; rssBytes: number }> {
  const script = fileURLToPath(new URL('open-memory.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, dataDir]);
  return JSON.parse(stdout) as { openMs: number; rssBytes: number };
}

/** Commits, reads, size and opening with so many keys. */
async function measureSize(keys: number) {
  const commitPerWrite = await withFolder(async (folder) => {
    const fewer = Math.min(keys, maxCommitPerWrite);
    await using memory = await open(join(folder, 'data'), writesPerCommit.commitPerWrite);
    return { keys: fewer, ...(await measureCommits(memory, folder, fewer, 'commitPerWrite')) };
  });
  const empty = await withFolder(openInProcess);
  return withFolder(async (folder) => {
    const dataDir = join(folder, 'data');
    let figures: object;
    {
      await using memory = await open(dataDir);
      const grouped = await measureCommits(memory, folder, keys, 'grouped');
      figures = { grouped, commitPerWrite, ...(await measureReads(memory, keys)) };
    }
    const diskBytesPerKey = Math.round(diskBytes(dataDir) / keys);
    const { openMs, rssBytes } = await openInProcess(dataDir);
    const rssBytesPerKey = Math.round((rssBytes - empty.rssBytes) / keys);
    return { keys, ...figures, openMs: round(openMs), diskBytesPerKey, rssBytesPerKey };
  });
}

const acknowledged: object[] = [];
for (const writers of writerCounts) {
  const row = await measureAcknowledged(writers);
  acknowledged.push(row);
  print(`${writers} writers`, row);
}
const naivePerSecond = await withFolder((folder) =>
  measureNaiveGit(folder, 40, Buffer.from(JSON.stringify(valueOf(1)))),
);
print('git add and commit', { naivePerSecond: round(naivePerSecond) });
const bySize: object[] = [];
for (const keys of sizes) {
  const row = await measureSize(keys);
  bySize.push(row);
  print(`${keys} keys`, row);
}
process.stdout.write(
  `${JSON.stringify({ bench: 'memory', acknowledged, naivePerSecond: round(naivePerSecond), bySize })}\n`,
);
