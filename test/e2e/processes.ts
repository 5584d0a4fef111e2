/** What the operating system says about processes, on Linux, macOS and Windows. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';

const run = promisify(execFile);

interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly isZombie: boolean;
}

async function listProcesses(): Promise<ProcessRow[]> {
  if (process.platform === 'win32') {
    const script =
      'Get-CimInstance Win32_Process | ForEach-Object { "$($_.ProcessId) $($_.ParentProcessId) R" }';
    const { stdout } = await run('powershell.exe', ['-NoProfile', '-Command', script]);
    return parseRows(stdout);
  }
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,stat='], { maxBuffer: 16 * 1024 * 1024 });
  return parseRows(stdout);
}

function parseRows(text: string): ProcessRow[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length >= 3)
    .map(([pid, parent, state]) => ({
      pid: Number(pid),
      parent: Number(parent),
      isZombie: state?.startsWith('Z') ?? false,
    }));
}

/** Every process below this one. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const rows = await listProcesses();
  const found: number[] = [];
  for (let parents = [pid]; parents.length > 0;) {
    const children = rows.filter((row) => parents.includes(row.parent)).map((row) => row.pid);
    found.push(...children);
    parents = children;
  }
  return found;
}

/** Those of the processes that still run; a zombie that its parent has not collected does not. */
export async function survivorsOf(pids: readonly number[]): Promise<number[]> {
  const running = new Set((await listProcesses()).filter((row) => !row.isZombie).map((row) => row.pid));
  return pids.filter((pid) => running.has(pid));
}

/** Resolves when none of the processes runs any more. */
export async function whenGone(pids: readonly number[], timeoutMs = 10_000): Promise<void> {
  await eventually(
    `processes ${pids.join(', ')} to end`,
    async () => ((await survivorsOf(pids)).length === 0 ? true : undefined),
    timeoutMs,
  );
}
