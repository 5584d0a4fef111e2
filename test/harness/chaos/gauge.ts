/** What a process holds: memory and open files. */

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Resident memory, MiB. */
export async function rssOf(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout.trim()) / 1024;
}

/** Open file descriptors; undefined where the system does not tell. */
export async function descriptorsOf(pid: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  return (await readdir(`/proc/${pid}/fd`)).length;
}

export interface Sample {
  readonly atMs: number;
  readonly rssMb: number;
}

/** Slope of the straight line through the samples (least squares), MiB a minute. */
export function slopeOf(samples: readonly Sample[]): number {
  const count = samples.length;
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, one) => sum + of(one), 0) / count;
  const atMs = mean((one) => one.atMs);
  const rssMb = mean((one) => one.rssMb);
  let over = 0;
  let under = 0;
  for (const one of samples) {
    over += (one.atMs - atMs) * (one.rssMb - rssMb);
    under += (one.atMs - atMs) ** 2;
  }
  return under === 0 ? 0 : (over / under) * 60_000;
}
