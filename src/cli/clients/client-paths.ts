/** Folders where clients keep their settings, on Linux, macOS and Windows. */

import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';
import type { CliContext } from '../context.ts';

/** The folders that clients' paths are built from. */
export interface ClientFolders {
  readonly home: string;
  /** `~/.config`, `~/Library/Application Support` or `%APPDATA%`. */
  readonly settings: string;
  /** `~/.config` or `%APPDATA%`: what some programs take on macOS too. */
  readonly dotConfig: string;
  /** Where this product keeps what it must know to undo a `connect`. */
  readonly own: string;
  readonly join: (...parts: string[]) => string;
}

/** The folders of the person whose environment it is. */
export function clientFolders({ env, platform }: Pick<CliContext, 'env' | 'platform'>): ClientFolders {
  const path = platform === 'win32' ? win32 : posix;
  const join = (...parts: string[]): string => path.join(...parts);
  const given = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const home = (platform === 'win32' ? given('USERPROFILE') : given('HOME')) ?? homedir();
  const dotConfig =
    platform === 'win32'
      ? (given('APPDATA') ?? join(home, 'AppData', 'Roaming'))
      : (given('XDG_CONFIG_HOME') ?? join(home, '.config'));
  const settings = platform === 'darwin' ? join(home, 'Library', 'Application Support') : dotConfig;
  return { home, settings, dotConfig, own: join(settings, 'git-memory-mcp'), join };
}
