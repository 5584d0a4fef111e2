/** How many files a child may have open, as a limit of the operating system where one can be set. */

import { accessSync, constants } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import type { ResolvedCommand } from './resolve-command.ts';

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The program that a name or path stands for; undefined when there is none. Not for Windows. */
function findProgram(command: string, path: string, cwd: string): string | undefined {
  if (command.includes('/')) {
    const file = resolve(cwd, command);
    return isProgram(file) ? file : undefined;
  }
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => resolve(cwd, folder, command))
    .find(isProgram);
}

/**
 * The command with the limit put on it, which all its descendants inherit; undefined where that is not possible: off Linux,
 * without `prlimit` (util-linux), and for a program that is not there, which says so better itself.
 */
export function withOpenFileLimit(
  { command, args }: ResolvedCommand,
  openFiles: number,
  env: Readonly<Record<string, string>>,
  cwd: string = process.cwd(),
): ResolvedCommand | undefined {
  if (process.platform !== 'linux') return undefined;
  const path = env['PATH'] ?? '';
  const prlimit = findProgram('prlimit', process.env['PATH'] ?? path, cwd);
  if (prlimit === undefined || findProgram(command, path, cwd) === undefined) return undefined;
  return { command: prlimit, args: [`--nofile=${openFiles}:${openFiles}`, '--', command, ...args] };
}
