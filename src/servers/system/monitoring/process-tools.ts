/** Tools about processes and ports. */

import { readdir, readlink } from 'node:fs/promises';
import { z } from 'zod';
import { defineTool, ToolError } from '../../../kernel/define-server.ts';
import { portShape, readPorts } from './ports.ts';
import { processShape } from './process-rows.ts';
import { sampleProcesses, type Sampled, toRow } from './processes.ts';
import { parseColonNumbers, readText } from './read-proc.ts';

const reading = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };

const intervalShape = z
  .number()
  .int()
  .min(100)
  .max(5000)
  .default(500)
  .describe('Milliseconds over which processor time is measured, 100 to 5,000; default 500.');

const sorts: Record<string, (a: Sampled, b: Sampled) => number> = {
  cpu: (a, b) => (b.cpuPercent ?? 0) - (a.cpuPercent ?? 0),
  memory: (a, b) => b.raw.memoryBytes - a.raw.memoryBytes,
};

/** Looks at masked command lines only: a search must not tell whether a guessed secret is right. */
async function withText(all: readonly Sampled[], text: string): Promise<Sampled[]> {
  const wanted = text.toLowerCase();
  const rows = await Promise.all(all.map(toRow));
  return all.filter((_, index) =>
    `${rows[index]?.name} ${rows[index]?.command}`.toLowerCase().includes(wanted),
  );
}

const processes = defineTool({
  name: 'processes',
  title: 'Top processes',
  description:
    'Lists the processes that use most processor time or memory, with pid, owner, state and command line (secrets masked). Use it to find out what makes a machine slow or full. Processor time is measured over a real interval.',
  input: z.strictObject({
    sortBy: z.enum(['cpu', 'memory']).default('cpu').describe('What to sort by; default cpu.'),
    limit: z.number().int().min(1).max(200).default(15).describe('Most processes to return; default 15.'),
    name: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Only processes with this text in name or masked command line, in any case.'),
    intervalMs: intervalShape,
  }),
  output: z.object({
    processes: z.array(processShape).describe('Processes, greatest first.'),
    total: z.number().int().describe('Processes that matched in all.'),
    zombies: z.number().int().describe('Dead processes on this machine that nobody collects.'),
  }),
  annotations: reading,
  async run({ sortBy, limit, name, intervalMs }, { signal }) {
    const all = await sampleProcesses(intervalMs, signal);
    const found = name === undefined ? all : await withText(all, name);
    const top = found.sort(sorts[sortBy]).slice(0, limit);
    return {
      processes: await Promise.all(top.map(toRow)),
      total: found.length,
      zombies: all.filter(({ raw }) => raw.state === 'zombie').length,
    };
  },
});

const detailsShape = z.object({
  executable: z.string().nullable().describe('Path of the program file.'),
  openFiles: z.number().int().nullable().describe('Open files and sockets.'),
  swapBytes: z.number().nullable().describe('Memory of it in swap.'),
  peakMemoryBytes: z.number().nullable().describe('Most memory it ever held.'),
  readBytes: z.number().nullable().describe('Bytes read from disks.'),
  writtenBytes: z.number().nullable().describe('Bytes written to disks.'),
  contextSwitches: z.number().nullable().describe('Times it was taken from a processor against its will.'),
});

/** What /proc knows besides; null where another user owns the process or the system is not Linux. */
async function readDetails(pid: number): Promise<z.output<typeof detailsShape>> {
  const folder = `/proc/${pid}`;
  const status = parseColonNumbers((await readText(`${folder}/status`)) ?? '');
  const io = parseColonNumbers((await readText(`${folder}/io`)) ?? '');
  const kilobytes = (name: string) => (status.has(name) ? (status.get(name) ?? 0) * 1024 : null);
  return {
    executable: await readlink(`${folder}/exe`).catch(() => null),
    openFiles: await readdir(`${folder}/fd`).then(
      (names) => names.length,
      () => null,
    ),
    swapBytes: kilobytes('VmSwap'),
    peakMemoryBytes: kilobytes('VmHWM'),
    readBytes: io.get('read_bytes') ?? null,
    writtenBytes: io.get('write_bytes') ?? null,
    contextSwitches: status.get('nonvoluntary_ctxt_switches') ?? null,
  };
}

const maxChildren = 100;

const processInfo = defineTool({
  name: 'process_info',
  title: 'One process',
  description:
    'Shows one process by pid: program, owner, state, processor time, memory, open files, disk traffic and children. Its environment is never shown and secrets in its command line are masked. Use it after "processes".',
  input: z.strictObject({
    pid: z.number().int().min(1).max(4_194_304).describe('Process id.'),
    intervalMs: intervalShape,
  }),
  output: z.object({
    process: processShape.describe('The process.'),
    details: detailsShape.describe('More about it; null where the system does not say.'),
    children: z
      .array(
        z.object({
          pid: z.number().int().describe('Process id.'),
          name: z.string().describe('Name of the program.'),
        }),
      )
      .describe('Processes it started that still run; at most 100.'),
  }),
  annotations: reading,
  async run({ pid, intervalMs }, { signal }) {
    const all = await sampleProcesses(intervalMs, signal);
    const found = all.find(({ raw }) => raw.pid === pid);
    if (!found) throw new ToolError(`pid: there is no process ${pid}; "processes" lists those that run`);
    const children = all.filter(({ raw }) => raw.parentPid === pid).slice(0, maxChildren);
    return {
      process: await toRow(found),
      details: await readDetails(pid),
      children: children.map(({ raw }) => ({ pid: raw.pid, name: raw.name })),
    };
  },
});

const listeningPorts = defineTool({
  name: 'listening_ports',
  title: 'Listening ports',
  description:
    'Lists the ports on which programs of this machine wait for connections, with address, process and whether other machines can reach them. Use it to see what is exposed or which program holds a port. Linux only.',
  input: z.strictObject({
    udp: z.boolean().default(false).describe('True shows UDP ports too.'),
    port: z.number().int().min(1).max(65_535).optional().describe('Only this port.'),
  }),
  output: z.object({ ports: z.array(portShape).describe('Ports in rising order.') }),
  annotations: reading,
  async run({ udp, port }) {
    const ports = await readPorts(udp ? ['tcp', 'tcp6', 'udp', 'udp6'] : ['tcp', 'tcp6']);
    return { ports: port === undefined ? ports : ports.filter((row) => row.port === port) };
  },
});

export const processTools = [processes, processInfo, listeningPorts];
