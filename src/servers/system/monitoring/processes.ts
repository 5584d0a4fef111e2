/** Processes with their share of processor time over a real interval. */

import { totalmem } from 'node:os';
import { basename } from 'node:path';
import { readLinuxProcesses } from './linux-processes.ts';
import { readListedProcesses } from './listed-processes.ts';
import { toCommandLine } from './mask-arguments.ts';
import { pause, percentOf } from './pause.ts';
import type { ProcessRow, RawProcess } from './process-rows.ts';

function readProcesses(signal: AbortSignal): Promise<RawProcess[]> {
  return process.platform === 'linux' ? readLinuxProcesses(signal) : readListedProcesses(signal);
}

export interface Sampled {
  readonly raw: RawProcess;
  readonly cpuPercent: number | null;
}

/** Shares of processor time between two readings; a process that was not there before has none. */
export function sharesBetween(
  before: readonly RawProcess[],
  after: readonly RawProcess[],
  elapsedMs: number,
): Sampled[] {
  const former = new Map(before.map((row) => [row.pid, row]));
  return after.map((raw) => {
    const old = former.get(raw.pid);
    const isSame = old !== undefined && old.birth === raw.birth;
    return { raw, cpuPercent: isSame ? percentOf(Math.max(0, raw.cpuMs - old.cpuMs), elapsedMs) : null };
  });
}

/** Reads all processes twice, so many milliseconds apart. */
export async function sampleProcesses(intervalMs: number, signal: AbortSignal): Promise<Sampled[]> {
  const startMs = performance.now();
  const before = await readProcesses(signal);
  await pause(intervalMs, signal);
  return sharesBetween(before, await readProcesses(signal), performance.now() - startMs);
}

/** Node names its first thread so, and with it the process. */
const nodeThreadName = 'MainThread';

const programOf = (args: readonly string[], otherwise: string): string =>
  basename(args[0] ?? '') || otherwise;

export async function toRow({ raw, cpuPercent }: Sampled): Promise<ProcessRow> {
  const args = await raw.arguments();
  const command = toCommandLine(args);
  return {
    pid: raw.pid,
    parentPid: raw.parentPid,
    name: raw.name === nodeThreadName ? programOf(args, raw.name) : raw.name,
    command: command === '' ? raw.name : command,
    user: raw.user,
    state: raw.state,
    cpuPercent,
    memoryBytes: raw.memoryBytes,
    memoryPercent: percentOf(raw.memoryBytes, totalmem()),
    threads: raw.threads,
    startedAt: raw.startedAtMs === null ? null : new Date(raw.startedAtMs).toISOString(),
  };
}
