/** Ends a child with its descendants: SIGTERM to the group, SIGKILL two seconds later; taskkill on Windows. */

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const killAfterMs = 2000;

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the whole group is gone, which is what we want.
  }
}

/** The child must have been started with `detached` on POSIX, so that it leads a group of its own. */
export function endGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (process.platform === 'win32') {
    const program = join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'taskkill.exe');
    spawn(program, ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true }).on(
      'error',
      () => child.kill(),
    );
    return;
  }
  signalGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), killAfterMs);
  child.once('close', () => clearTimeout(timer));
}
