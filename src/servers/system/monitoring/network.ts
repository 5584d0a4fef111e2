/** Network interfaces with their counters, and the ports that are listened on. */

import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { readText } from './read-proc.ts';
import { runProgram } from './run-program.ts';

export const countersShape = z.object({
  receivedBytes: z.number().describe('Bytes received since start.'),
  sentBytes: z.number().describe('Bytes sent since start.'),
  receiveErrors: z.number().int().describe('Receive errors since start.'),
  sendErrors: z.number().int().describe('Send errors since start.'),
});
export type Counters = z.output<typeof countersShape>;

export const interfaceShape = z.object({
  name: z.string().describe('Name of the interface.'),
  internal: z.boolean().describe('True for loopback.'),
  mac: z.string().nullable().describe('Hardware address; null when it has none or is down.'),
  addresses: z.array(z.string()).describe('Addresses with prefix length, e.g. 192.0.2.5/24.'),
  counters: countersShape.nullable().describe('Traffic since start; null where the system does not say.'),
});

/** Parses /proc/net/dev (proc(5)). */
export function parseProcNetDev(text: string): Map<string, Counters> {
  const counters = new Map<string, Counters>();
  for (const [, name = '', values = ''] of text.matchAll(/^\s*([^\s:|]+):\s*(.+)$/gm)) {
    const columns = values.trim().split(/\s+/).map(Number);
    const [receivedBytes = 0, , receiveErrors = 0] = columns;
    const [sentBytes = 0, , sendErrors = 0] = columns.slice(8);
    counters.set(name, { receivedBytes, sentBytes, receiveErrors, sendErrors });
  }
  return counters;
}

/** Parses `netstat -ibn` of macOS: the `<Link#n>` row of each interface; its address column may be missing. */
export function parseNetstat(text: string): Map<string, Counters> {
  const counters = new Map<string, Counters>();
  for (const line of text.split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[2]?.startsWith('<Link#') !== true) continue;
    const [, receiveErrors = 0, receivedBytes = 0, , sendErrors = 0, sentBytes = 0] = columns
      .slice(-7)
      .map(Number);
    counters.set((columns[0] ?? '').replace(/\*$/, ''), {
      receivedBytes,
      sentBytes,
      receiveErrors,
      sendErrors,
    });
  }
  return counters;
}

/** Counters by interface; empty on Windows, whose tools give none by name. */
export async function readCounters(signal: AbortSignal): Promise<Map<string, Counters>> {
  const text = await readText('/proc/net/dev');
  if (text !== undefined) return parseProcNetDev(text);
  return process.platform === 'darwin'
    ? parseNetstat(await runProgram('netstat', ['-ibn'], signal))
    : new Map<string, Counters>();
}

const noMac = '00:00:00:00:00:00';

export async function readInterfaces(signal: AbortSignal): Promise<z.output<typeof interfaceShape>[]> {
  const counters = await readCounters(signal);
  const known = networkInterfaces();
  const names = [...new Set([...Object.keys(known), ...counters.keys()])].sort();
  return names.map((name) => {
    const rows = known[name] ?? [];
    const mac = rows.find((row) => row.mac !== noMac)?.mac ?? null;
    return {
      name,
      internal: rows.some((row) => row.internal) || name === 'lo',
      mac,
      addresses: rows.map((row) => row.cidr ?? row.address),
      counters: counters.get(name) ?? null,
    };
  });
}
