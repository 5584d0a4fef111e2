/** Limits that a container or service puts on this process: control groups, versions 1 and 2 (cgroups(7)). */

import { join } from 'node:path';
import { z } from 'zod';
import { readText } from './read-proc.ts';

export const limitsShape = z.object({
  cpuCores: z
    .number()
    .nullable()
    .describe('Processors this container may use at most, e.g. 1.5; null without a limit.'),
  memoryLimitBytes: z
    .number()
    .int()
    .nullable()
    .describe('Memory this container may use; null without a limit.'),
  memoryUsedBytes: z.number().int().nullable().describe('Memory it uses; null without a control group.'),
  processLimit: z
    .number()
    .int()
    .nullable()
    .describe('Processes and threads it may have; null without a limit.'),
});
export type Limits = z.output<typeof limitsShape>;

/** Version 1 says "no limit" with a number near 2^63. */
const unlimitedFrom = 2 ** 60;

export function parseLimit(text: string | undefined): number | null {
  const value = Number(text?.trim() || Number.NaN);
  return Number.isFinite(value) && value >= 0 && value < unlimitedFrom ? value : null;
}

/** `cpu.max` of version 2: "quota period" or "max period", in microseconds. */
export function parseCpuMax(text: string | undefined): number | null {
  const [quota, period] = text?.trim().split(' ') ?? [];
  const cores = Number(quota) / Number(period ?? 100_000);
  return Number.isFinite(cores) && cores > 0 ? Math.round(cores * 100) / 100 : null;
}

/** Controller → path in /proc/self/cgroup; version 2 has the empty name. */
export function parseCgroupPaths(text: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const [, controllers = '', path = ''] of text.matchAll(/^\d+:([^:]*):(.*)$/gm)) {
    for (const controller of controllers.split(',')) paths.set(controller, path);
  }
  return paths;
}

const base = '/sys/fs/cgroup';

/** The file in the group of this process, or at the top where a container sees its own group as the root. */
async function readIn(
  controller: string,
  path: string | undefined,
  file: string,
): Promise<string | undefined> {
  const own = path === undefined ? undefined : await readText(join(base, controller, path, file));
  return own ?? (await readText(join(base, controller, file)));
}

/** Undefined where there are no control groups. */
export async function readLimits(): Promise<Limits | undefined> {
  const text = await readText('/proc/self/cgroup');
  if (text === undefined) return undefined;
  const paths = parseCgroupPaths(text);
  if (paths.has('memory')) {
    const quota = parseLimit(await readIn('cpu', paths.get('cpu'), 'cpu.cfs_quota_us'));
    const period = parseLimit(await readIn('cpu', paths.get('cpu'), 'cpu.cfs_period_us'));
    return {
      cpuCores: quota !== null && period ? Math.round((quota / period) * 100) / 100 : null,
      memoryLimitBytes: parseLimit(await readIn('memory', paths.get('memory'), 'memory.limit_in_bytes')),
      memoryUsedBytes: parseLimit(await readIn('memory', paths.get('memory'), 'memory.usage_in_bytes')),
      processLimit: parseLimit(await readIn('pids', paths.get('pids'), 'pids.max')),
    };
  }
  const path = paths.get('');
  return {
    cpuCores: parseCpuMax(await readIn('', path, 'cpu.max')),
    memoryLimitBytes: parseLimit(await readIn('', path, 'memory.max')),
    memoryUsedBytes: parseLimit(await readIn('', path, 'memory.current')),
    processLimit: parseLimit(await readIn('', path, 'pids.max')),
  };
}
