/** What `bench/gateway.ts` measures: processes with a URL, loaded by turns so that a busy machine hurts all alike. */

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Load, LoadFigures } from './load.ts';

export interface Target {
  readonly name: string;
  readonly url: string;
  readonly tool: string;
  readonly pid: number;
}

export interface Figures extends LoadFigures {
  /** CPU time of the target's process a call, microseconds; Linux only. */
  readonly cpuMicros?: number;
}

export interface Running extends Disposable {
  /** The first line it printed. */
  readonly line: string;
  readonly pid: number;
}

const ticksPerSecond = 100;
const warmupCalls = 10_000;
const maxWarmupMs = 15_000;

export function scriptOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Starts one of our scripts and resolves with the first line it prints. */
export async function startScript(name: string, ...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [scriptOf(name), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', resolve);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return { line: line.trim(), pid: child.pid!, [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

/** CPU time that a process has used, threads included, microseconds; undefined where /proc is not. */
async function cpuMicrosOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (stat === undefined) return undefined;
  // After the name, which may hold anything: state is field 3, user and system time are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond;
}

/** Loads one target once. */
async function measure(target: Target, load: Omit<Load, 'url' | 'tool'>): Promise<Figures> {
  const { url, tool, pid } = target;
  const before = await cpuMicrosOf(pid);
  using running = await startScript('load.ts', JSON.stringify({ ...load, url, tool }));
  const after = await cpuMicrosOf(pid);
  const figures = JSON.parse(running.line) as LoadFigures;
  if (before === undefined || after === undefined) return figures;
  return { ...figures, cpuMicros: Math.round((after - before) / Math.max(figures.calls, 1)) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const round2 = (value: number): number => Math.round(value * 100) / 100;

/** Loads all targets by turns, `rounds` times after one to warm up; all figures of each, in the order of the rounds. */
export async function measureByTurns(
  targets: readonly Target[],
  load: Omit<Load, 'url' | 'tool'>,
  rounds: number,
): Promise<Map<string, Figures[]>> {
  const all = new Map<string, Figures[]>(targets.map(({ name }) => [name, []]));
  // By count and not by time: what is compiled, and how well, depends on how often it ran.
  const { perSecond: _rate, ...warmup } = { ...load, maxCalls: warmupCalls, durationMs: maxWarmupMs };
  for (const target of targets) await measure(target, warmup);
  for (let round = 0; round < rounds; round += 1) {
    // Every other round goes backwards, so that nobody always comes first.
    for (const target of round % 2 === 0 ? targets : targets.toReversed())
      all.get(target.name)!.push(await measure(target, load));
  }
  return all;
}

/** The median of what two targets did in the same rounds, one divided by the other. */
export function ratio(
  part: readonly Figures[],
  whole: readonly Figures[],
  pick: (figures: Figures) => number = (figures) => figures.callsPerSecond,
): number {
  return round2(median(part.map((figures, i) => pick(figures) / pick(whole[i]!))));
}

/** The medians of several rounds; errors are counted together. */
export function summarize(rounds: readonly Figures[]): Record<string, unknown> {
  const of = (pick: (figures: Figures) => number | undefined) =>
    round2(median(rounds.map((figures) => pick(figures) ?? 0)));
  const firstError = rounds.find((figures) => figures.firstError !== undefined)?.firstError;
  return {
    callsPerSecond: of((f) => f.callsPerSecond),
    p50Ms: of((f) => f.p50Ms),
    p95Ms: of((f) => f.p95Ms),
    p99Ms: of((f) => f.p99Ms),
    ...(rounds[0]?.cpuMicros !== undefined && { cpuMicros: of((f) => f.cpuMicros) }),
    errors: rounds.reduce((sum, figures) => sum + figures.errors, 0),
    ...(firstError !== undefined && { firstError }),
  };
}
