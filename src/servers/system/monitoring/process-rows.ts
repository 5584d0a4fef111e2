/** One row a process, from whatever the platform offers. */

import { z } from 'zod';

export const processShape = z.object({
  pid: z.number().int().describe('Process id.'),
  parentPid: z
    .number()
    .int()
    .nullable()
    .describe('Process id of the parent; null where the system does not say.'),
  name: z.string().describe('Name of the program.'),
  command: z
    .string()
    .describe('Command line with secrets masked, at most 500 characters; the name where there is none.'),
  user: z.string().nullable().describe('Owner; null where the system does not say.'),
  state: z
    .string()
    .describe('running, sleeping, waiting for disk, stopped, zombie or idle; as the system says elsewhere.'),
  cpuPercent: z
    .number()
    .nullable()
    .describe(
      'Share of one processor in the interval: 100 is one whole processor; null if it began meanwhile.',
    ),
  memoryBytes: z.number().describe('Memory it holds (resident set).'),
  memoryPercent: z.number().describe('The same as a share of the memory of the machine.'),
  threads: z.number().int().nullable().describe('Threads; null where the system does not say.'),
  startedAt: z
    .string()
    .nullable()
    .describe('ISO 8601 time of its start; null where the system does not say.'),
});
export type ProcessRow = z.output<typeof processShape>;

/** A process before its share of time is known. */
export interface RawProcess {
  readonly pid: number;
  readonly parentPid: number | null;
  readonly name: string;
  /** Unmasked: only ever shown through `toCommandLine`. */
  readonly arguments: () => Promise<readonly string[]>;
  readonly user: string | null;
  readonly state: string;
  readonly memoryBytes: number;
  readonly threads: number | null;
  readonly startedAtMs: number | null;
  /** Processor time since its start, milliseconds. */
  readonly cpuMs: number;
  /** Tells a process from a later one with the same id. */
  readonly birth: string;
}
