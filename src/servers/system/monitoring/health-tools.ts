/** Tools that judge and that watch over time. */

import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { readLimits } from './cgroup.ts';
import { readCpu, sampleCpu, shareBetween } from './cpu.ts';
import { readDisks } from './disks.ts';
import { findingShape, judge, thresholdsShape } from './health.ts';
import { includeNetworkShape, readLoad } from './machine-tools.ts';
import { readMemory } from './memory.ts';
import { type Counters, readCounters } from './network.ts';
import { pause } from './pause.ts';
import { readPressure } from './pressure.ts';
import { sampleProcesses } from './processes.ts';

const reading = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };
const healthIntervalMs = 500;

const healthCheck = defineTool({
  name: 'health_check',
  title: 'Health check',
  description:
    'Measures processor, load, memory, swap, disks, file entries, pressure and zombies and judges them by thresholds. Returns healthy, degraded or critical with findings and what to look at next. Use it for "is this machine all right?".',
  input: z.strictObject({
    thresholds: thresholdsShape.prefault({}).describe('Thresholds; each has a default.'),
    includeNetwork: includeNetworkShape,
  }),
  output: z.object({
    status: z.enum(['healthy', 'degraded', 'critical']).describe('The worst of the findings.'),
    findings: z
      .array(findingShape)
      .describe('What passed its threshold, critical first; empty when healthy.'),
    checkedAt: z.string().describe('ISO 8601 time.'),
  }),
  annotations: reading,
  async run({ thresholds, includeNetwork }, { signal }) {
    const [{ total }, processes, disks, memory, limits, pressure] = await Promise.all([
      sampleCpu(healthIntervalMs, signal),
      sampleProcesses(healthIntervalMs, signal),
      readDisks(includeNetwork, signal),
      readMemory(),
      readLimits(),
      readPressure(),
    ]);
    const zombies = processes.filter(({ raw }) => raw.state === 'zombie').length;
    const cores = limits?.cpuCores ?? availableParallelism();
    const findings = judge(
      { cpu: total, load: readLoad(), cores, memory, limits, disks, pressure, zombies },
      thresholds,
    );
    const isCritical = findings.some((finding) => finding.severity === 'critical');
    const passed = findings.length > 0 ? 'degraded' : 'healthy';
    const status: 'healthy' | 'degraded' | 'critical' = isCritical ? 'critical' : passed;
    return { status, findings, checkedAt: new Date().toISOString() };
  },
});

const sampleShape = z.object({
  at: z.string().describe('ISO 8601 time.'),
  cpuPercent: z.number().describe('Processor use since the sample before.'),
  memoryPercent: z.number().describe('Memory use.'),
  load1: z.number().nullable().describe('Load average of one minute; null on Windows.'),
  receivedBytesPerSecond: z
    .number()
    .nullable()
    .describe('Network traffic in, loopback left out; null where the system does not say.'),
  sentBytesPerSecond: z
    .number()
    .nullable()
    .describe('Network traffic out, loopback left out; null where the system does not say.'),
});
type Sample = z.output<typeof sampleShape>;

const rangeShape = z.object({
  min: z.number().describe('Least value.'),
  average: z.number().describe('Mean value.'),
  max: z.number().describe('Greatest value.'),
});

const maxDurationMs = 60_000;
const round = (value: number): number => Math.round(value * 10) / 10;

function rangeOf(values: readonly number[]): z.output<typeof rangeShape> {
  const average = round(values.reduce((sum, value) => sum + value, 0) / values.length);
  return { min: Math.min(...values), average, max: Math.max(...values) };
}

/** Bytes in and out over all interfaces but loopback; undefined where the system does not say. */
function trafficOf(counters: ReadonlyMap<string, Counters>): { received: number; sent: number } | undefined {
  const rows = [...counters].filter(([name]) => !/^lo\d*$/.test(name)).map(([, row]) => row);
  if (counters.size === 0) return undefined;
  const sum = (key: 'receivedBytes' | 'sentBytes') => rows.reduce((all, row) => all + row[key], 0);
  return { received: sum('receivedBytes'), sent: sum('sentBytes') };
}

async function readPoint(signal: AbortSignal) {
  const [cpu, counters] = await Promise.all([readCpu(), readCounters(signal)]);
  return { cpu, traffic: trafficOf(counters), atMs: performance.now() };
}
type Point = Awaited<ReturnType<typeof readPoint>>;

async function sampleBetween(before: Point, after: Point): Promise<Sample> {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000);
  const { usedPercent } = await readMemory();
  const rate = (key: 'received' | 'sent') =>
    before.traffic && after.traffic
      ? Math.max(0, Math.round((after.traffic[key] - before.traffic[key]) / seconds))
      : null;
  return {
    at: new Date().toISOString(),
    cpuPercent: shareBetween(before.cpu.total, after.cpu.total).busyPercent,
    memoryPercent: usedPercent,
    load1: readLoad()?.[0] ?? null,
    receivedBytesPerSecond: rate('received'),
    sentBytesPerSecond: rate('sent'),
  };
}

const sampleMetrics = defineTool({
  name: 'sample_metrics',
  title: 'Watch over time',
  description:
    'Takes samples of processor, memory, load and network traffic at an interval, for at most a minute, with progress after each. Returns the samples and their least, mean and greatest values. Use it to see whether something is steady, rising or in bursts.',
  input: z.strictObject({
    samples: z.number().int().min(2).max(120).default(5).describe('How many samples, 2 to 120; default 5.'),
    intervalMs: z
      .number()
      .int()
      .min(100)
      .max(10_000)
      .default(1000)
      .describe('Milliseconds between samples, 100 to 10,000; default 1,000.'),
  }),
  output: z.object({
    samples: z.array(sampleShape).describe('Samples in order.'),
    cpuPercent: rangeShape.describe('Processor use over all samples.'),
    memoryPercent: rangeShape.describe('Memory use over all samples.'),
  }),
  annotations: { ...reading, idempotentHint: false },
  async run({ samples, intervalMs }, context) {
    const { signal } = context;
    if (samples * intervalMs > maxDurationMs) {
      throw new ToolError(
        `samples × intervalMs is ${samples * intervalMs} ms, the limit is ${maxDurationMs}; take fewer samples or a shorter interval`,
      );
    }
    const rows: Sample[] = [];
    let before = await readPoint(signal);
    while (rows.length < samples) {
      await pause(intervalMs, signal);
      const after = await readPoint(signal);
      const sample = await sampleBetween(before, after);
      rows.push(sample);
      before = after;
      context.progress({
        progress: rows.length,
        total: samples,
        message: `cpu ${sample.cpuPercent} %, memory ${sample.memoryPercent} %`,
      });
    }
    return {
      samples: rows,
      cpuPercent: rangeOf(rows.map((row) => row.cpuPercent)),
      memoryPercent: rangeOf(rows.map((row) => row.memoryPercent)),
    };
  },
});

export const healthTools = [healthCheck, sampleMetrics];
