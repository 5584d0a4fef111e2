/** Processor time: counters of the kernel, and the shares between two readings of them. */

import { cpus } from 'node:os';
import { z } from 'zod';
import { percentOf, pause } from './pause.ts';
import { readText } from './read-proc.ts';

/** Time spent in each state since start, in any one unit. */
export interface CpuTimes {
  readonly user: number;
  readonly system: number;
  readonly idle: number;
  readonly wait: number;
  readonly stolen: number;
}

export interface CpuReading {
  readonly total: CpuTimes;
  readonly cores: readonly CpuTimes[];
}

export const cpuShareShape = z.object({
  busyPercent: z.number().describe('Share of time at work, 0 to 100.'),
  userPercent: z.number().describe('Share spent in programs.'),
  systemPercent: z.number().describe('Share spent in the kernel.'),
  waitPercent: z.number().describe('Share waiting for disks; 0 where the system does not say.'),
  stolenPercent: z
    .number()
    .describe('Share taken by other virtual machines; 0 where the system does not say.'),
});
export type CpuShare = z.output<typeof cpuShareShape>;

/** Parses /proc/stat (proc(5)): user nice system idle iowait irq softirq steal. */
export function parseProcStat(text: string): CpuReading {
  const rows = [...text.matchAll(/^cpu\d*\s+(.+)$/gm)].map(([, values = '']) => {
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, stolen = 0] = values
      .trim()
      .split(/\s+/)
      .map(Number);
    return { user: user + nice, system: system + irq + softIrq, idle, wait, stolen };
  });
  const [total = { user: 0, system: 0, idle: 0, wait: 0, stolen: 0 }, ...cores] = rows;
  return { total, cores };
}

function fromNode(): CpuReading {
  const cores = cpus().map(({ times }) => ({
    user: times.user + times.nice,
    system: times.sys + times.irq,
    idle: times.idle,
    wait: 0,
    stolen: 0,
  }));
  const sum = (key: keyof CpuTimes) => cores.reduce((all, core) => all + core[key], 0);
  return {
    cores,
    total: { user: sum('user'), system: sum('system'), idle: sum('idle'), wait: 0, stolen: 0 },
  };
}

export async function readCpu(): Promise<CpuReading> {
  const text = await readText('/proc/stat');
  return text?.startsWith('cpu ') ? parseProcStat(text) : fromNode();
}

/** What happened between two readings; counters that ran backwards count as 0. */
export function shareBetween(before: CpuTimes, after: CpuTimes): CpuShare {
  const spent = (key: keyof CpuTimes) => Math.max(0, after[key] - before[key]);
  const whole = spent('user') + spent('system') + spent('idle') + spent('wait') + spent('stolen');
  return {
    busyPercent: percentOf(spent('user') + spent('system') + spent('stolen'), whole),
    userPercent: percentOf(spent('user'), whole),
    systemPercent: percentOf(spent('system'), whole),
    waitPercent: percentOf(spent('wait'), whole),
    stolenPercent: percentOf(spent('stolen'), whole),
  };
}

/** Measures over a real interval in milliseconds. */
export async function sampleCpu(
  intervalMs: number,
  signal: AbortSignal,
): Promise<{ total: CpuShare; cores: CpuShare[] }> {
  const before = await readCpu();
  await pause(intervalMs, signal);
  const after = await readCpu();
  return {
    total: shareBetween(before.total, after.total),
    cores: after.cores.flatMap((core, index) => {
      const former = before.cores[index];
      return former ? [shareBetween(former, core)] : [];
    }),
  };
}
