/** Judges measurements by thresholds. */

import { z } from 'zod';
import type { Limits } from './cgroup.ts';
import type { CpuShare } from './cpu.ts';
import type { Disk } from './disks.ts';
import type { Memory } from './memory.ts';
import { percentOf } from './pause.ts';
import type { Pressure } from './pressure.ts';

const percent = z.number().min(1).max(100);

export const thresholdsShape = z.strictObject({
  cpuPercent: percent.default(85).describe('Processor use, percent.'),
  loadPerCore: z
    .number()
    .min(0.1)
    .max(100)
    .default(1.5)
    .describe('Load average of 5 minutes divided by the processors.'),
  memoryPercent: percent.default(85).describe('Memory use, of the machine or its container, percent.'),
  swapPercent: percent.default(50).describe('Swap use, percent.'),
  diskPercent: percent.default(85).describe('Disk use, percent.'),
  inodePercent: percent.default(85).describe('Use of file entries, percent.'),
  pressurePercent: percent
    .default(20)
    .describe('Share of time in which work waited for a resource, percent.'),
});
export type Thresholds = z.output<typeof thresholdsShape>;

export const findingShape = z.object({
  severity: z
    .enum(['warning', 'critical'])
    .describe('critical: more than half way from the threshold to the worst.'),
  metric: z.string().describe('What was measured, e.g. diskPercent.'),
  subject: z.string().describe('What it was measured of, e.g. a mount.'),
  value: z.number().describe('The value.'),
  threshold: z.number().describe('The threshold it passed.'),
  advice: z.string().describe('What to look at next.'),
});
export type Finding = z.output<typeof findingShape>;

export interface Measured {
  readonly cpu: CpuShare;
  readonly load: readonly number[] | null;
  readonly cores: number;
  readonly memory: Memory;
  readonly limits: Limits | undefined;
  readonly disks: readonly Disk[];
  readonly pressure: Pressure | undefined;
  readonly zombies: number;
}

interface Check {
  readonly metric: keyof Thresholds;
  readonly subject: string;
  readonly value: number | null | undefined;
  readonly advice: string;
}

function checksOf(measured: Measured): Check[] {
  const { cpu, load, cores, memory, limits, disks, pressure } = measured;
  const limit = limits?.memoryLimitBytes ?? null;
  const inContainer =
    limit !== null && limit < memory.totalBytes ? percentOf(limits?.memoryUsedBytes ?? 0, limit) : null;
  const who = 'see "processes" sorted by';
  return [
    { metric: 'cpuPercent', subject: 'all processors', value: cpu.busyPercent, advice: `${who} cpu` },
    {
      metric: 'loadPerCore',
      subject: 'this machine',
      value: load ? Math.round(((load[1] ?? 0) / Math.max(1, cores)) * 100) / 100 : null,
      advice: `more work waits than the processors can do; ${who} cpu, and cpu_usage for waiting on disks`,
    },
    { metric: 'memoryPercent', subject: 'this machine', value: memory.usedPercent, advice: `${who} memory` },
    {
      metric: 'memoryPercent',
      subject: 'this container',
      value: inContainer,
      advice: `at its limit the container is killed; ${who} memory, or raise the limit`,
    },
    {
      metric: 'swapPercent',
      subject: 'swap',
      value: memory.swapUsedPercent,
      advice: `memory was short; ${who} memory`,
    },
    ...disks.flatMap((disk): Check[] => [
      {
        metric: 'diskPercent',
        subject: disk.mount,
        value: disk.usedPercent,
        advice: 'free space there: old logs, caches and builds first',
      },
      {
        metric: 'inodePercent',
        subject: disk.mount,
        value: disk.inodesUsedPercent,
        advice: 'too many small files there: look for caches, sessions and mail queues',
      },
    ]),
    {
      metric: 'pressurePercent',
      subject: 'processors',
      value: pressure?.cpu,
      advice: `work waits for a processor; ${who} cpu`,
    },
    {
      metric: 'pressurePercent',
      subject: 'memory',
      value: pressure?.memory,
      advice: `work waits for memory; ${who} memory`,
    },
    {
      metric: 'pressurePercent',
      subject: 'disks',
      value: pressure?.io,
      advice: 'work waits for disks; look for backups, swapping and busy databases',
    },
  ];
}

/** Where a warning becomes critical: half way to 100 percent; twice the threshold for a load. */
function criticalFrom(metric: keyof Thresholds, threshold: number): number {
  return metric === 'loadPerCore' ? threshold * 2 : threshold + (100 - threshold) / 2;
}

const manyZombies = 20;

/** Findings, critical ones first; none means healthy. */
export function judge(measured: Measured, thresholds: Thresholds): Finding[] {
  const findings = checksOf(measured).flatMap(({ metric, subject, value, advice }): Finding[] => {
    const threshold = thresholds[metric];
    if (value === null || value === undefined || value < threshold) return [];
    const severity = value >= criticalFrom(metric, threshold) ? 'critical' : 'warning';
    return [{ severity, metric, subject, value, threshold, advice }];
  });
  if (measured.zombies >= manyZombies) {
    const advice =
      'a parent does not collect its dead children; find it by the parentPid of the zombies and restart it';
    findings.push({
      severity: 'warning',
      metric: 'zombies',
      subject: 'processes',
      value: measured.zombies,
      threshold: manyZombies,
      advice,
    });
  }
  return findings.sort((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'));
}
