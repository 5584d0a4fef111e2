/** Tools about the machine as a whole: overview, processor, memory, disks, network. */

import {
  arch,
  availableParallelism,
  cpus,
  hostname,
  loadavg,
  platform,
  release,
  type,
  uptime,
  version,
} from 'node:os';
import { z } from 'zod';
import { defineTool } from '../../../kernel/define-server.ts';
import { limitsShape, readLimits } from './cgroup.ts';
import { cpuShareShape, sampleCpu } from './cpu.ts';
import { diskShape, readDisks } from './disks.ts';
import { memoryShape, readMemory } from './memory.ts';
import { interfaceShape, readInterfaces } from './network.ts';
import { pressureShape, readPressure } from './pressure.ts';
import { readText } from './read-proc.ts';

const reading = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };

export const includeNetworkShape = z
  .boolean()
  .default(false)
  .describe('True asks network file systems too, which may hang for two seconds.');

const overviewInterval = 200;

async function distributionName(): Promise<string | null> {
  const text = (await readText('/etc/os-release')) ?? '';
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1] ?? null;
}

/** Load averages of 1, 5 and 15 minutes; Windows has none and Node says 0 there. */
export const readLoad = (): [number, number, number] | null => {
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return process.platform === 'win32' ? null : [one, five, fifteen];
};

const systemOverview = defineTool({
  name: 'system_overview',
  title: 'System overview',
  description:
    'Shows the machine at a glance: operating system, kernel, uptime, processors and their load, memory with what is still available, and limits of the container if there are any. Use it first when something is slow.',
  input: z.strictObject({}),
  output: z.object({
    hostname: z.string().describe('Name of the machine.'),
    system: z.string().describe('Operating system, e.g. Linux.'),
    distribution: z
      .string()
      .nullable()
      .describe('Distribution, e.g. "Debian GNU/Linux 12"; null where there is none.'),
    platform: z.string().describe('Platform as Node names it, e.g. linux, darwin, win32.'),
    architecture: z.string().describe('Processor architecture, e.g. x64.'),
    kernel: z.string().describe('Kernel release.'),
    kernelVersion: z.string().describe('Kernel version.'),
    uptimeSeconds: z.number().int().describe('Seconds since the machine started.'),
    cpuModel: z.string().describe('Model of the first processor.'),
    cpuCores: z.number().int().describe('Logical processors of the machine.'),
    usableCores: z.number().int().describe('Logical processors this process may use.'),
    cpu: cpuShareShape.describe('Processor time, measured over 0.2 s.'),
    load: z.array(z.number()).nullable().describe('Load averages of 1, 5 and 15 minutes; null on Windows.'),
    memory: memoryShape.describe('Memory and swap.'),
    limits: limitsShape
      .nullable()
      .describe('Limits of the container or service; null where there are no control groups.'),
    pressure: pressureShape
      .nullable()
      .describe('Share of time in which work waited; null where the kernel does not say.'),
  }),
  annotations: reading,
  async run(_, { signal }) {
    const { total } = await sampleCpu(overviewInterval, signal);
    const processors = cpus();
    return {
      hostname: hostname(),
      system: type(),
      distribution: await distributionName(),
      platform: platform(),
      architecture: arch(),
      kernel: release(),
      kernelVersion: version(),
      uptimeSeconds: Math.floor(uptime()),
      cpuModel: processors[0]?.model.trim() ?? 'unknown',
      cpuCores: processors.length,
      usableCores: availableParallelism(),
      cpu: total,
      load: readLoad(),
      memory: await readMemory(),
      limits: (await readLimits()) ?? null,
      pressure: (await readPressure()) ?? null,
    };
  },
});

const cpuUsage = defineTool({
  name: 'cpu_usage',
  title: 'Processor use',
  description:
    'Measures processor use over a real interval, for the whole machine and for each processor: busy, programs, kernel, waiting for disks, stolen by other virtual machines. Use a longer interval for a calmer figure.',
  input: z.strictObject({
    intervalMs: z
      .number()
      .int()
      .min(100)
      .max(5000)
      .default(1000)
      .describe('Milliseconds to measure, 100 to 5,000; default 1,000.'),
  }),
  output: z.object({
    intervalMs: z.number().int().describe('Milliseconds measured.'),
    total: cpuShareShape.describe('All processors together.'),
    cores: z.array(cpuShareShape).describe('Each logical processor.'),
    load: z.array(z.number()).nullable().describe('Load averages of 1, 5 and 15 minutes; null on Windows.'),
  }),
  annotations: reading,
  run: async ({ intervalMs }, { signal }) => ({
    intervalMs,
    ...(await sampleCpu(intervalMs, signal)),
    load: readLoad(),
  }),
});

const memoryUsage = defineTool({
  name: 'memory_usage',
  title: 'Memory use',
  description:
    'Shows memory and swap of the machine and, in a container, its limit and use. "available" is what programs can still get; "free" is smaller because caches count as used. Use it when something was killed or swaps.',
  input: z.strictObject({}),
  output: memoryShape.extend({
    limits: limitsShape
      .nullable()
      .describe('Limits of the container; null where there are no control groups.'),
  }),
  annotations: reading,
  run: async () => ({ ...(await readMemory()), limits: (await readLimits()) ?? null }),
});

const diskUsage = defineTool({
  name: 'disk_usage',
  title: 'Disk use',
  description:
    'Shows size, use and free space of each mounted file system or drive, and of its file entries (inodes), fullest first. Network file systems are left out unless asked for. Use it when writing fails or a disk fills.',
  input: z.strictObject({ includeNetwork: includeNetworkShape }),
  output: z.object({ disks: z.array(diskShape).describe('File systems, fullest first.') }),
  annotations: reading,
  async run({ includeNetwork }, { signal }) {
    const disks = await readDisks(includeNetwork, signal);
    return { disks: disks.sort((a, b) => b.usedPercent - a.usedPercent) };
  },
});

const networkInterfaceList = defineTool({
  name: 'network_interfaces',
  title: 'Network interfaces',
  description:
    'Lists network interfaces with addresses and traffic counters since start. For traffic a second use sample_metrics. Use it to find the addresses of this machine or errors on a link.',
  input: z.strictObject({
    includeInternal: z.boolean().default(true).describe('False leaves out loopback.'),
  }),
  output: z.object({ interfaces: z.array(interfaceShape).describe('Interfaces by name.') }),
  annotations: reading,
  async run({ includeInternal }, { signal }) {
    const interfaces = await readInterfaces(signal);
    return { interfaces: includeInternal ? interfaces : interfaces.filter((row) => !row.internal) };
  },
});

export const machineTools = [systemOverview, cpuUsage, memoryUsage, diskUsage, networkInterfaceList];
