/**
 * What to spawn for a configured command, without a shell. Only Windows needs work: there `npx` and most
 * npm-installed programs are `.cmd` batch files, which Node rightly refuses to spawn without a shell, and a
 * shell would mean quoting arguments for cmd.exe. So the batch file is read for the script that it starts,
 * and that script is given to Node itself. A batch file of another make is refused.
 */

import { readFileSync, statSync } from 'node:fs';
import { win32 } from 'node:path';
import { AppError } from '../../kernel/errors.ts';

export interface ResolvedCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface CommandHost {
  readonly platform: NodeJS.Platform;
  /** Path of the running Node. */
  readonly nodePath: string;
  readonly isFile: (path: string) => boolean;
  readonly read: (path: string) => string;
}

const thisHost: CommandHost = {
  platform: process.platform,
  nodePath: process.execPath,
  isFile: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
  read: (path) => readFileSync(path, 'utf8'),
};

function valueOf(env: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(env).find(([key]) => key.toUpperCase() === name)?.[1];
}

/** The file that Windows would run, by PATH and PATHEXT; undefined when there is none. */
function findOnWindows(
  command: string,
  env: Readonly<Record<string, string>>,
  host: CommandHost,
): string | undefined {
  const folders = /[\\/]/.test(command) ? [''] : (valueOf(env, 'PATH') ?? '').split(';').filter(Boolean);
  const endings = (valueOf(env, 'PATHEXT') ?? '.COM;.EXE;.BAT;.CMD').split(';').filter(Boolean);
  const hasEnding = endings.some((ending) => command.toUpperCase().endsWith(ending.toUpperCase()));
  for (const folder of folders) {
    for (const ending of hasEnding ? [''] : endings) {
      const path = win32.join(folder, command + ending);
      if (host.isFile(path)) return path;
    }
  }
  return undefined;
}

/** The script that a batch file made by npm starts, e.g. `"%dp0%\node_modules\npm\bin\npx-cli.js"`. */
const scriptInShim = /(?:%~dp0|%dp0%)\\?([^"%]+\.[cm]?js)"/gi;

/** Resolves a command for spawn; throws UPSTREAM_UNAVAILABLE for a batch file that cannot be run without a shell. */
export function resolveCommand(
  server: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  host: CommandHost = thisHost,
): ResolvedCommand {
  if (host.platform !== 'win32') return { command, args };
  const path = findOnWindows(command, env, host);
  if (path === undefined || !/\.(cmd|bat)$/i.test(path)) return { command: path ?? command, args };
  const folder = win32.dirname(path);
  const scripts = [...host.read(path).matchAll(scriptInShim)].map((match) => win32.join(folder, match[1]!));
  // npm's own npx.cmd names first the script that looks up the prefix; the program is the one of its own name.
  const program = win32
    .basename(path)
    .replace(/\.(cmd|bat)$/i, '')
    .toLowerCase();
  const script =
    scripts.find((name) => win32.basename(name).toLowerCase().startsWith(program)) ?? scripts.at(-1);
  if (script === undefined || !host.isFile(script)) {
    const problem = `${win32.basename(path)} is a batch file; give the program itself as command`;
    throw new AppError('UPSTREAM_UNAVAILABLE', { server, problem });
  }
  return { command: host.nodePath, args: [script, ...args] };
}
