/** Memory and swap, and what can still be had without swapping. */

import { freemem, totalmem } from 'node:os';
import { z } from 'zod';
import { percentOf } from './pause.ts';
import { parseColonNumbers, readText } from './read-proc.ts';

export const memoryShape = z.object({
  totalBytes: z.number().int().describe('Memory of the machine.'),
  availableBytes: z.number().int().describe('What programs can still get without swapping.'),
  freeBytes: z.number().int().describe('What is used for nothing, caches included as used.'),
  usedBytes: z.number().int().describe('total − available.'),
  usedPercent: z.number().describe('Share in use, 0 to 100.'),
  cachedBytes: z
    .number()
    .int()
    .nullable()
    .describe('File caches that can be dropped; null where the system does not say.'),
  swapTotalBytes: z.number().int().nullable().describe('Size of swap; null where the system does not say.'),
  swapUsedBytes: z.number().int().nullable().describe('Swap in use; null where the system does not say.'),
  swapUsedPercent: z.number().nullable().describe('Share of swap in use; null without swap.'),
});
export type Memory = z.output<typeof memoryShape>;

/** Parses /proc/meminfo (proc(5)); values there are in kB. */
export function parseMeminfo(text: string): Memory {
  const numbers = parseColonNumbers(text);
  const bytesOf = (name: string) => (numbers.get(name) ?? 0) * 1024;
  const [total, free] = [bytesOf('MemTotal'), bytesOf('MemFree')];
  const cached = bytesOf('Cached') + bytesOf('SReclaimable') + bytesOf('Buffers');
  // Kernels before 3.14 do not say what is available.
  const available = numbers.has('MemAvailable') ? bytesOf('MemAvailable') : Math.min(total, free + cached);
  const [swapTotal, swapUsed] = [bytesOf('SwapTotal'), bytesOf('SwapTotal') - bytesOf('SwapFree')];
  return {
    totalBytes: total,
    availableBytes: available,
    freeBytes: free,
    usedBytes: total - available,
    usedPercent: percentOf(total - available, total),
    cachedBytes: cached,
    swapTotalBytes: swapTotal,
    swapUsedBytes: swapUsed,
    swapUsedPercent: swapTotal === 0 ? null : percentOf(swapUsed, swapTotal),
  };
}

function fromNode(): Memory {
  const [total, free] = [totalmem(), freemem()];
  const available = Math.min(total, Math.max(free, process.availableMemory()));
  return {
    totalBytes: total,
    availableBytes: available,
    freeBytes: free,
    usedBytes: total - available,
    usedPercent: percentOf(total - available, total),
    cachedBytes: null,
    swapTotalBytes: null,
    swapUsedBytes: null,
    swapUsedPercent: null,
  };
}

export async function readMemory(): Promise<Memory> {
  const text = await readText('/proc/meminfo');
  return text?.includes('MemTotal:') ? parseMeminfo(text) : fromNode();
}
