/** Pressure stall information: the share of time in which work waited for a resource (Linux PSI). */

import { z } from 'zod';
import { readText } from './read-proc.ts';

const shareShape = z.number();

export const pressureShape = z.object({
  cpu: shareShape.describe('Percent of the last 10 seconds in which some work waited for a processor.'),
  memory: shareShape.describe('Percent of the last 10 seconds in which some work waited for memory.'),
  io: shareShape.describe('Percent of the last 10 seconds in which some work waited for disks.'),
});
export type Pressure = z.output<typeof pressureShape>;

export function parsePressure(text: string | undefined): number | undefined {
  const value = /^some avg10=(\d+(?:\.\d+)?)/m.exec(text ?? '')?.[1];
  return value === undefined ? undefined : Number(value);
}

/** Undefined where the kernel does not say. */
export async function readPressure(): Promise<Pressure | undefined> {
  const [cpu, memory, io] = await Promise.all(
    ['cpu', 'memory', 'io'].map(async (name) => parsePressure(await readText(`/proc/pressure/${name}`))),
  );
  return cpu === undefined || memory === undefined || io === undefined ? undefined : { cpu, memory, io };
}
