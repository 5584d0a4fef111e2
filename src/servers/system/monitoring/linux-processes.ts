/** Processes from /proc (proc(5)). Environments are never read. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { AppError } from '../../../kernel/errors.ts';
import type { RawProcess } from './process-rows.ts';
import { readText } from './read-proc.ts';

/** /proc counts in ticks of 1/100 s on every Linux that Node runs on (sysconf _SC_CLK_TCK). */
const msPerTick = 10;
const defaultPageBytes = 4096;
const pageSizeEntry = 6n;
const readsAtOnce = 64;

const states: Readonly<Record<string, string>> = {
  R: 'running',
  S: 'sleeping',
  D: 'waiting for disk',
  T: 'stopped',
  t: 'stopped',
  Z: 'zombie',
  I: 'idle',
  X: 'dead',
};

export interface StatFields {
  readonly name: string;
  readonly state: string;
  readonly parentPid: number;
  readonly cpuTicks: number;
  readonly threads: number;
  readonly startTicks: number;
  readonly residentPages: number;
}

/** Parses /proc/<pid>/stat; the name stands in brackets and may hold brackets and blanks itself. */
export function parseStat(text: string): StatFields | undefined {
  const [from, to] = [text.indexOf('('), text.lastIndexOf(')')];
  if (from < 0 || to < from) return undefined;
  const fields = text
    .slice(to + 2)
    .trim()
    .split(' ');
  const numberAt = (index: number) => Number(fields[index] ?? 0);
  return {
    name: text.slice(from + 1, to),
    state: states[fields[0] ?? ''] ?? 'unknown',
    parentPid: numberAt(1),
    cpuTicks: numberAt(11) + numberAt(12),
    threads: numberAt(17),
    startTicks: numberAt(19),
    residentPages: numberAt(21),
  };
}

/** Parses /proc/self/auxv: pairs of 64-bit words; AT_PAGESZ is 6. */
export function parsePageSize(auxv: Buffer): number {
  for (let at = 0; at + 16 <= auxv.length; at += 16) {
    if (auxv.readBigUInt64LE(at) === pageSizeEntry) return Number(auxv.readBigUInt64LE(at + 8));
  }
  return defaultPageBytes;
}

/** What holds for the whole machine while processes are read. */
export interface LinuxFacts {
  readonly pageBytes: number;
  readonly bootMs: number;
  readonly users: ReadonlyMap<number, string>;
}

export async function readFacts(): Promise<LinuxFacts> {
  const auxv = await readFile('/proc/self/auxv').catch(() => Buffer.alloc(0));
  const bootSeconds = /^btime (\d+)$/m.exec((await readText('/proc/stat')) ?? '')?.[1];
  const users = new Map<number, string>();
  for (const [, name = '', id = ''] of ((await readText('/etc/passwd')) ?? '').matchAll(
    /^([^:\n]+):[^:]*:(\d+):/gm,
  )) {
    users.set(Number(id), name);
  }
  return { pageBytes: parsePageSize(auxv), bootMs: Number(bootSeconds ?? 0) * 1000, users };
}

async function readArguments(pid: number): Promise<string[]> {
  const text = await readText(`/proc/${pid}/cmdline`);
  return text?.replace(/\0+$/, '').split('\0') ?? [];
}

/** Undefined when the process is gone. */
export async function readProcess(pid: number, facts: LinuxFacts): Promise<RawProcess | undefined> {
  const [text, owner] = await Promise.all([
    readText(`/proc/${pid}/stat`),
    stat(`/proc/${pid}`).catch(() => undefined),
  ]);
  const fields = text === undefined ? undefined : parseStat(text);
  if (!fields || !owner) return undefined;
  return {
    pid,
    parentPid: fields.parentPid,
    name: fields.name,
    arguments: () => readArguments(pid),
    user: facts.users.get(owner.uid) ?? String(owner.uid),
    state: fields.state,
    memoryBytes: fields.residentPages * facts.pageBytes,
    threads: fields.threads,
    startedAtMs: facts.bootMs === 0 ? null : facts.bootMs + fields.startTicks * msPerTick,
    cpuMs: fields.cpuTicks * msPerTick,
    birth: String(fields.startTicks),
  };
}

export async function readLinuxProcesses(signal: AbortSignal): Promise<RawProcess[]> {
  const facts = await readFacts();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const rows: RawProcess[] = [];
  for (let from = 0; from < pids.length; from += readsAtOnce) {
    if (signal.aborted) throw new AppError('REQUEST_CANCELLED');
    const some = await Promise.all(
      pids.slice(from, from + readsAtOnce).map((pid) => readProcess(pid, facts)),
    );
    rows.push(...some.filter((row) => row !== undefined));
  }
  return rows;
}
