/**
 * The recovery drill, `npm run drill:recovery`: a coordinator with writers loses its data folder at a random instant,
 * is recovered from its backups (then, in other rounds, from a clone) into a fresh folder and started again. Prints
 * how long that took and what was lost; the last line is JSON. Ends with 1 when something came back altered, or was
 * lost that the source must have had.
 */

import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomInt } from 'node:crypto';
import { runCli, startCoordinator } from '../e2e/start-coordinator.ts';
import { runGit } from '../fixtures/memory-in-temp.ts';
import { type AcknowledgedWrite, startWriters } from './drill-writers.ts';
import { createRandom } from './random.ts';

export interface DrillOptions {
  /** Rounds with each source. */
  readonly rounds: number;
  /** Writing before the disaster, at most. */
  readonly seconds: number;
  /** Between two backups, and between two fetches of the clone. */
  readonly everySeconds: number;
  readonly seed: number;
}

export interface DrillRound {
  readonly source: 'backup' | 'clone';
  readonly acknowledged: number;
  /** From the disaster to the first value that was read and is right. */
  readonly firstReadSeconds: number;
  /** From the disaster until all values were read. */
  readonly allReadSeconds: number;
  /** Acknowledged writes that are not in the recovered memory. */
  readonly lostWrites: number;
  /** From the first lost write to the disaster. */
  readonly lostSeconds: number;
  /** What must not be: altered values, and losses from before the state of the source. */
  readonly violations: readonly string[];
}

/** After the first state that can be gone back to. */
const betweenMs = 400;

/** Runs all rounds; `tell` gets a line for each. */
export async function drillRecovery(
  options: DrillOptions,
  tell: (line: string) => void,
): Promise<DrillRound[]> {
  const random = createRandom(options.seed);
  const done: DrillRound[] = [];
  for (const source of ['backup', 'clone'] as const) {
    for (let round = 1; round <= options.rounds; round++) {
      const writeMs = (0.5 + random() / 2) * options.seconds * 1000;
      const result = await drillOnce(source, writeMs, options.everySeconds);
      done.push(result);
      const { firstReadSeconds, allReadSeconds, lostWrites, lostSeconds, acknowledged, violations } = result;
      tell(
        `${source} ${round}: first read after ${firstReadSeconds} s, all after ${allReadSeconds} s; lost ${lostWrites} of ${acknowledged} writes, the last ${lostSeconds} s${violations.map((one) => `; VIOLATION ${one}`).join('')}`,
      );
    }
  }
  return done;
}

async function drillOnce(
  source: 'backup' | 'clone',
  writeMs: number,
  everySeconds: number,
): Promise<DrillRound> {
  const folder = await mkdtemp(join(tmpdir(), 'git-memory-drill-'));
  try {
    const dataDir = join(folder, 'data');
    const backups = join(folder, 'backups');
    const backup = { to: backups, everyHours: everySeconds / 3600, keep: { last: 3, daily: 0, weekly: 0 } };
    const config = source === 'backup' ? { memory: { backup } } : {};
    await using live = await startCoordinator({ dataDir, config, args: ['--log-level', 'warn'] });
    const clone = join(folder, 'clone.git');
    const mirror =
      source === 'clone' ? startMirror(join(dataDir, 'memory.git'), clone, everySeconds) : undefined;
    const writers = startWriters(live.origin);
    await wait(writeMs);
    // A disaster before there is anything to go back to would only show that there is nothing.
    while (mirror ? !mirror.hasMain() : !hasBackup(backups)) await wait(50);
    await wait(betweenMs);

    const disasterMs = Date.now();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20 });
    await live.kill();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 20 });
    await writers.stop();
    await mirror?.stop();
    const acknowledged = writers.acknowledged.filter(({ atMs }) => atMs <= disasterMs);

    const fresh = join(folder, 'fresh');
    const from = source === 'backup' ? backups : clone;
    const recovery = await runCli(['memory', 'recover', '--from', from, '--data', fresh, '--json']);
    if (recovery.code !== 0) throw new Error(`recover ended with ${recovery.code}: ${recovery.stderr}`);
    const state = JSON.parse(recovery.stdout) as { at?: string };
    const heldUntilMs = state.at === undefined ? 0 : Date.parse(state.at);
    await using back = await startCoordinator({ dataDir: fresh, args: ['--log-level', 'warn'] });
    return await measure({ source, origin: back.origin, fresh, acknowledged, disasterMs, heldUntilMs });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  }
}

/** The first backup may be of the time before the first write. */
function hasBackup(backups: string): boolean {
  return globSync('*/manifest.json', { cwd: backups }).some((name) => {
    const { lastSeq } = JSON.parse(readFileSync(join(backups, name), 'utf8')) as { lastSeq: number };
    return lastSeq > 0;
  });
}

interface Aftermath {
  readonly source: 'backup' | 'clone';
  readonly origin: string;
  readonly fresh: string;
  readonly acknowledged: readonly AcknowledgedWrite[];
  readonly disasterMs: number;
  /** What was acknowledged before must be there; 0 when the source does not say. */
  readonly heldUntilMs: number;
}

async function measure(after: Aftermath): Promise<DrillRound> {
  const { source, origin, fresh, acknowledged, disasterMs, heldUntilMs } = after;
  const since = () => Number(((Date.now() - disasterMs) / 1000).toFixed(2));
  const violations: string[] = [];
  const byKey = Map.groupBy(acknowledged, ({ key }) => key);
  const keys = await listKeys(origin);
  let firstReadSeconds = 0;
  for (const { key, etag } of keys) {
    const { value } = (await getJson(`${origin}/api/v1/memory/shared/${encodeURIComponent(key)}`)) as {
      value: { writer: number; i: number };
    };
    if (firstReadSeconds === 0) firstReadSeconds = since();
    const isTold = byKey.get(key)?.some((write) => write.etag === etag);
    // A write whose answer was still on its way may be there too, whole.
    const isWhole = key === `k/${value.writer}/${value.i % 25}`;
    if (!isTold && !isWhole) violations.push(`${key} came back altered`);
  }
  const allReadSeconds = since();
  await untilCommitted(origin);
  const log = runGit(
    join(fresh, 'memory.git'),
    'log',
    '--format=%(trailers:key=Memory-Seq,valueonly)',
    'main',
  );
  const held = new Set(log.split('\n').filter(Boolean).map(Number));
  const lost = acknowledged.filter(({ seq }) => !held.has(seq));
  const tooMany = lost.filter(({ atMs }) => atMs < heldUntilMs).length;
  if (tooMany > 0) violations.push(`${tooMany} writes from before the source's state are lost`);
  // Each flush comes to Git whole and in order, so what is lost is the end and no hole.
  const newest = Math.max(0, ...held);
  const holes = lost.filter(({ seq }) => seq < newest).length;
  if (holes > 0) violations.push(`${holes} writes are lost, but later ones are there`);
  const firstLostMs = Math.min(disasterMs, ...lost.map(({ atMs }) => atMs));
  return {
    source,
    acknowledged: acknowledged.length,
    firstReadSeconds,
    allReadSeconds,
    lostWrites: lost.length,
    lostSeconds: Number(((disasterMs - firstLostMs) / 1000).toFixed(2)),
    violations,
  };
}

async function listKeys(origin: string): Promise<{ key: string; etag: string }[]> {
  const { items } = (await getJson(`${origin}/api/v1/memory?limit=1000`)) as {
    items: { key: string; etag: string }[];
  };
  if (items.length === 0) throw new Error('the recovered memory is empty');
  return items;
}

async function untilCommitted(origin: string): Promise<void> {
  for (;;) {
    const { journalPending } = (await getJson(`${origin}/api/v1/memory-stats`)) as { journalPending: number };
    if (journalPending === 0) return;
    await wait(50);
  }
}

async function getJson(url: string): Promise<unknown> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
}

/** A clone that follows the repository, as a machine elsewhere would. */
function startMirror(from: string, to: string, everySeconds: number) {
  const ending = new AbortController();
  runGit(join(from, '..'), 'init', '--quiet', '--bare', to);
  const follow = async () => {
    while (!ending.signal.aborted) {
      try {
        runGit(to, 'fetch', '--quiet', from, '+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*');
      } catch {
        // Nothing committed yet, or the disaster came in the middle.
      }
      await wait(everySeconds * 1000);
    }
  };
  const running = follow();
  return {
    hasMain: () => existsSync(join(to, 'refs', 'heads', 'main')),
    async stop() {
      ending.abort();
      await running;
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function summary(rounds: readonly DrillRound[]) {
  const most = (pick: (round: DrillRound) => number) => Math.max(...rounds.map(pick));
  const median = (pick: (round: DrillRound) => number) =>
    rounds.map(pick).toSorted((a, b) => a - b)[Math.floor(rounds.length / 2)];
  return {
    rounds: rounds.length,
    firstReadSeconds: { median: median((r) => r.firstReadSeconds), max: most((r) => r.firstReadSeconds) },
    allReadSeconds: { median: median((r) => r.allReadSeconds), max: most((r) => r.allReadSeconds) },
    lostWrites: { median: median((r) => r.lostWrites), max: most((r) => r.lostWrites) },
    lostSeconds: { median: median((r) => r.lostSeconds), max: most((r) => r.lostSeconds) },
  };
}

if (import.meta.main) {
  const number = (name: string, fallback: number) => Number(process.env[name] ?? fallback);
  const options: DrillOptions = {
    rounds: number('DRILL_ROUNDS', 3),
    seconds: number('DRILL_SECONDS', 10),
    everySeconds: number('DRILL_EVERY_SECONDS', 2),
    seed: number('DRILL_SEED', randomInt(2 ** 31)),
  };
  const rounds = await drillRecovery(options, (line) => console.info(line));
  const violations = rounds.flatMap((round) => round.violations);
  const of = (source: DrillRound['source']) => summary(rounds.filter((round) => round.source === source));
  console.info(JSON.stringify({ ...options, backup: of('backup'), clone: of('clone'), violations }));
  if (violations.length > 0) process.exitCode = 1;
}
