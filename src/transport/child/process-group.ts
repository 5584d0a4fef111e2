/** Ends a child with all its descendants: gently first, for sure in the end. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listProcesses, readProcess } from './process-table.ts';

const firstPollMs = 10;
const longestPollMs = 100;

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // EPERM: a member changed its user; it is still there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * True while a member of the group lives. A zombie that nobody reaps (a lazy PID 1 in a container) is no
 * member. Looking at all processes is only worth it once the leader is dead: then few groups are left over.
 */
async function isGroupAlive(pid: number): Promise<boolean> {
  if (!signalGroup(pid, 0)) return false;
  if (process.platform !== 'linux') return true;
  const leader = readProcess(pid);
  if (leader && leader.state !== 'Z') return true;
  return (await listProcesses()).some((row) => row.group === pid);
}

/** True when the group became empty within the time. */
async function isGoneWithin(pid: number, timeoutMs: number): Promise<boolean> {
  const endMs = performance.now() + timeoutMs;
  for (let pollMs = firstPollMs; await isGroupAlive(pid); pollMs = Math.min(pollMs * 1.5, longestPollMs)) {
    if (performance.now() >= endMs) return false;
    await delay(pollMs);
  }
  return true;
}

/** Windows knows no groups: taskkill ends the tree below the process, by force, as there is no gentle way. */
async function killTree(pid: number): Promise<void> {
  const program = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'taskkill.exe');
  const { promise, resolve } = Promise.withResolvers<void>();
  const child = spawn(program, ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
  child.once('error', () => resolve());
  child.once('exit', () => resolve());
  await promise;
}

export interface EndTimes {
  /** Time to leave by itself, milliseconds. */
  readonly graceMs: number;
  /** Time between SIGTERM and SIGKILL, milliseconds. */
  readonly termMs: number;
}

/**
 * Ends the process group led by `pid` (on Windows: the process tree) and resolves when it is empty, or
 * 2 seconds after SIGKILL with false when something could not be killed.
 */
export async function endProcessGroup(
  pid: number,
  times: EndTimes,
  hasExited: () => boolean = () => false,
): Promise<boolean> {
  if (process.platform === 'win32') {
    const endMs = performance.now() + times.graceMs;
    while (!hasExited() && performance.now() < endMs) await delay(firstPollMs);
    await killTree(pid);
    return true;
  }
  if (await isGoneWithin(pid, times.graceMs)) return true;
  signalGroup(pid, 'SIGTERM');
  if (await isGoneWithin(pid, times.termMs)) return true;
  signalGroup(pid, 'SIGKILL');
  return await isGoneWithin(pid, 2000);
}
