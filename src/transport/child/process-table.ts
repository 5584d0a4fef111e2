/** What Linux tells about processes in /proc: group, start time, state, environment. */

import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

export interface ProcessRow {
  readonly pid: number;
  readonly group: number;
  /** One letter of proc(5); Z is a zombie that only waits to be reaped. */
  readonly state: string;
  /** Clock ticks since boot; with the pid it names one process for as long as the machine is up. */
  readonly startTicks: string;
}

function parseStat(pid: number, stat: string): ProcessRow {
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, state: fields[0] ?? '?', group: Number(fields[2]), startTicks: fields[19] ?? '' };
}

/** One process; undefined when it is gone. Linux only. */
export function readProcess(pid: number): ProcessRow | undefined {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** All processes except zombies. Linux only. */
export async function listProcesses(): Promise<ProcessRow[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows = names.map((name) => readProcess(Number(name)));
  return rows.filter((row): row is ProcessRow => row !== undefined && row.state !== 'Z' && row.state !== 'X');
}

/** The value of an environment variable that a process was started with; undefined when unset or not ours to read. */
export async function readProcessVariable(pid: number, name: string): Promise<string | undefined> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    const entry = environment.split('\0').find((text) => text.startsWith(`${name}=`));
    return entry?.slice(name.length + 1);
  } catch {
    return undefined;
  }
}
