/**
 * A process with 64 writers is killed at random instants, while it opens, writes, commits and folds packs.
 * After each restart every acknowledged write must be in Git once, unaltered, and the repository sound.
 * KILL_ROUNDS sets how often (20), KILL_SEED repeats a run.
 */

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/kernel/log.ts';
import { openMemory } from '../../src/memory/open-memory.ts';
import { createTempFolder, runGit } from '../fixtures/memory-in-temp.ts';
import { createRandom } from './random.ts';

const rounds = Number(process.env['KILL_ROUNDS'] ?? 20);
const seed = Number(process.env['KILL_SEED'] ?? randomInt(2 ** 31));
const killsPerFolder = 5;
const writers = 64;
const child = fileURLToPath(new URL('../fixtures/memory-crash-writer.ts', import.meta.url));
const caller = { actor: 'checker', agent: 'kill-test' };

interface Write {
  readonly key: string;
  /** `-` for a deletion. */
  readonly etag: string;
  readonly seq: number;
}

interface AcknowledgedWrite extends Write {
  readonly value: { readonly round: string; readonly writer: number; readonly i: number };
}

/**
 * When to kill: so long after the start of the process, after its first acknowledged write, or after Git began
 * to write the one pack in place of many.
 */
interface Instant {
  readonly after: 'start' | 'first write' | 'fold';
  readonly ms: number;
  /** Git dies with the coordinator, as when the machine does; else it goes on alone. */
  readonly isGroup: boolean;
}

/** A process that folds nothing within this time is killed all the same. */
const longestWaitMs = 5000;
const isWindows = process.platform === 'win32';
let killsInFold = 0;

/** Runs the writers until the instant and returns what they were told is durable. */
async function writeAndKill(dataDir: string, round: number, instant: Instant): Promise<AcknowledgedWrite[]> {
  const told = join(dataDir, `told-${round}.txt`);
  const running = spawn(process.execPath, [child, dataDir, String(round), told], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: !isWindows,
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    running.on('close', (_code, signal) => resolve(signal));
  });
  const kill = () => {
    if (instant.isGroup && !isWindows && running.pid !== undefined) process.kill(-running.pid, 'SIGKILL');
    else running.kill('SIGKILL');
  };
  const killLater = () => setTimeout(kill, instant.ms);
  const folding = new AbortController();
  if (instant.after === 'start') killLater();
  else if (instant.after === 'first write') running.stdout.once('data', killLater);
  else running.stdout.once('data', () => void killInFold(dataDir, killLater, folding.signal));
  running.stdout.resume();
  // Windows has no signals; there a killed process ends with a code.
  if (isWindows) await ended;
  else expect(await ended).toBe('SIGKILL');
  folding.abort();
  const lines = existsSync(told) ? readFileSync(told, 'utf8').split('\n') : [];
  return lines.slice(0, -1).map(toAcknowledged(round));
}

/** Git names a pack that it is writing `tmp_pack_…`; ours have another beginning. */
async function killInFold(dataDir: string, killLater: () => void, signal: AbortSignal): Promise<void> {
  const packs = join(dataDir, 'memory.git', 'objects', 'pack');
  const late = AbortSignal.timeout(longestWaitMs);
  try {
    for await (const { filename } of watch(packs, { signal: AbortSignal.any([signal, late]) })) {
      if (!filename?.startsWith('tmp_pack_')) continue;
      killsInFold += 1;
      break;
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError' && (error as Error).name !== 'TimeoutError') throw error;
  }
  if (!signal.aborted) killLater();
}

function toAcknowledged(round: number): (line: string) => AcknowledgedWrite {
  return (line) => {
    const [key = '', etag = '', seq, writer, i] = line.split(' ');
    const value = { round: String(round), writer: Number(writer), i: Number(i) };
    return { key, etag, seq: Number(seq), value };
  };
}

/** All writes in Git, oldest first, as stock Git tells them: trailers for the sequence, the diff for the blob. */
function writesInGit(repositoryDir: string): Write[] {
  const format = '--format=%x02%(trailers:key=Memory-Key,key=Memory-Seq,valueonly,separator=%x09)';
  const log = runGit(
    repositoryDir,
    'log',
    '--reverse',
    '--raw',
    '--no-abbrev',
    '--no-renames',
    format,
    'main',
  );
  return log.split('\u0002').slice(1).flatMap(writesOfCommit);
}

function writesOfCommit(text: string): Write[] {
  const [trailers = '', ...diff] = text.split('\n');
  const blobs = new Map<string, string>();
  for (const line of diff.filter((one) => one.startsWith(':'))) {
    const [, , , blob = '', status, path = ''] = line.split(/[ \t]/);
    blobs.set(path.replace(/\.json$/, ''), status === 'D' ? '-' : blob);
  }
  const values = trailers.split('\t');
  expect(values.length).toBe(blobs.size * 2);
  const writes: Write[] = [];
  for (let at = 0; at < values.length; at += 2) {
    const path = values[at] ?? '';
    const key = path.replace(/^shared\//, '');
    writes.push({ key, etag: blobs.get(path) ?? 'none', seq: Number(values[at + 1]) });
  }
  return writes;
}

/** Opens what the kills left and holds it against what was acknowledged; returns how many packs there are. */
async function check(dataDir: string, acknowledged: readonly AcknowledgedWrite[], kills: number) {
  await using memory = await openMemory({ dataDir, logger: silentLogger });
  const shown = await memory.call('list', { limit: 1000 }, caller);
  await memory.flush();
  if (acknowledged.length === 0) return;
  const inGit = writesInGit(memory.repositoryDir);
  const bySeq = new Map(inGit.map((write) => [write.seq, write]));
  expect(bySeq.size).toBe(inGit.length);
  const etags = inGit.map((write) => write.etag).filter((etag) => etag !== '-');
  expect(new Set(etags).size).toBe(etags.length);
  const altered = acknowledged.filter(({ seq, key, etag }) => {
    const found = bySeq.get(seq);
    return !found || found.key !== key || found.etag !== etag;
  });
  expect(altered).toEqual([]);
  expect(inGit.length - acknowledged.length).toBeLessThanOrEqual(writers * kills);
  // Groups of different actors may pass each other; the writes of one key may not.
  for (const writes of Map.groupBy(inGit, (write) => write.key).values()) {
    const seqs = writes.map((write) => write.seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  }

  const newest = new Map(inGit.map((write) => [write.key, write.etag]));
  const present = [...newest].filter(([, etag]) => etag !== '-');
  // What readers saw right after the restart, before anything was committed.
  expect(new Map(shown.items.map((item) => [item.key, item.etag]))).toEqual(new Map(present));
  const valueOf = new Map(acknowledged.map((write) => [write.etag, write.value]));
  for (const [key, etag] of present) {
    const { value } = await memory.call('retrieve', { key }, caller);
    const expected = valueOf.get(etag);
    if (expected) expect(value).toEqual(expected);
  }
  const { versions } = await memory.call('history', { key: 'k/3', limit: 1000 }, caller);
  const ofKey = inGit.filter((write) => write.key === 'k/3').map((write) => write.etag);
  expect(versions.map((version) => version.etag ?? '-')).toEqual(ofKey.toReversed().slice(0, 1000));

  expect(runGit(memory.repositoryDir, 'fsck', '--full', '--strict')).toBe('');
  const packs = readdirSync(join(memory.repositoryDir, 'objects', 'pack'));
  // What a killed Git left half-written goes later, when it is surely nobody's.
  expect(packs.filter((name) => name.endsWith('.keep') || name.startsWith('tmp_git_memory_'))).toEqual([]);
}

function drawInstant(random: () => number): Instant {
  const kind = random();
  const isGroup = random() < 0.5;
  if (kind < 0.2) return { after: 'start', ms: 50 + random() * 600, isGroup };
  if (kind < 0.6) return { after: 'first write', ms: random() * 500, isGroup };
  return { after: 'fold', ms: random() * 10, isGroup };
}

describe('a process that is killed again and again', () => {
  it(
    `loses, repeats and alters no acknowledged write (${rounds} kills, KILL_SEED=${seed})`,
    { timeout: 60_000 + rounds * 10_000 },
    async () => {
      const random = createRandom(seed);
      let total = 0;
      for (let done = 0; done < rounds; done += killsPerFolder) {
        await using folder = await createTempFolder();
        const acknowledged: AcknowledgedWrite[] = [];
        for (let kill = 1; kill <= Math.min(killsPerFolder, rounds - done); kill++) {
          const instant = drawInstant(random);
          const told = await writeAndKill(folder.path, done + kill, instant);
          for (const write of told) acknowledged.push(write);
          try {
            await check(folder.path, acknowledged, kill);
          } catch (error) {
            const problem = `KILL_SEED=${seed}, kill ${done + kill} (${Math.round(instant.ms)} ms after ${instant.after})`;
            throw new Error(problem, { cause: error });
          }
        }
        total += acknowledged.length;
      }
      console.info(
        `${rounds} kills (${killsInFold} in a fold), ${total} acknowledged writes, none lost; KILL_SEED=${seed}`,
      );
      if (!isWindows && rounds >= 20) expect(killsInFold).toBeGreaterThan(0);
      expect(total).toBeGreaterThan(rounds * 50);
    },
  );
});
