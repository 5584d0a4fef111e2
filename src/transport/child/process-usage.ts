/** What the processes of this machine use: from /proc on Linux, from `ps` elsewhere, from PowerShell on Windows. */

import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessUsage {
  readonly pid: number;
  readonly parent: number;
  /** Process group; 0 on Windows, which has none. */
  readonly group: number;
  /** Resident set, bytes. Pages that several processes share count for each of them. */
  readonly memoryBytes: number;
}

const run = promisify(execFile);
const maxOutputBytes = 32 * 1024 * 1024;

/** Three or four numbers a line: pid, parent, group, resident KiB. */
export function parseUsage(text: string): ProcessUsage[] {
  return text.split('\n').flatMap((line) => {
    const [pid, parent, group, kib] = line.trim().split(/\s+/).map(Number);
    if (pid === undefined || parent === undefined || group === undefined || kib === undefined) return [];
    return [{ pid, parent, group, memoryBytes: kib * 1024 }];
  });
}

async function readUsage(pid: string): Promise<ProcessUsage | undefined> {
  try {
    const [stat, status] = await Promise.all(
      ['stat', 'status'].map((name) => readFile(`/proc/${pid}/${name}`, 'latin1')),
    );
    const [, parent, group] = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ');
    // Absent for zombies and threads of the kernel.
    const kib = Number(/^VmRSS:\s+(\d+)/m.exec(status!)?.[1] ?? 0);
    return { pid: Number(pid), parent: Number(parent), group: Number(group), memoryBytes: kib * 1024 };
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

/** All processes that can be seen. */
export async function listUsage(): Promise<ProcessUsage[]> {
  if (process.platform === 'linux') {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    return (await Promise.all(pids.map(readUsage))).filter((usage) => usage !== undefined);
  }
  if (process.platform === 'win32') {
    const script =
      'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) 0 $([math]::Floor($_.WorkingSetSize / 1KB))" }';
    const args = ['-NoProfile', '-NonInteractive', '-Command', script];
    return parseUsage(
      (await run('powershell.exe', args, { maxBuffer: maxOutputBytes, windowsHide: true })).stdout,
    );
  }
  const args = ['-A', '-o', 'pid=,ppid=,pgid=,rss='];
  return parseUsage((await run('ps', args, { maxBuffer: maxOutputBytes })).stdout);
}

/** Undefined where it cannot be told: everywhere but on Linux, and of processes of other users. */
export async function countOpenFiles(pid: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  return await readdir(`/proc/${pid}/fd`).then(
    (names) => names.length,
    () => undefined,
  );
}
