/** Folders where clients keep their settings, on Linux, macOS and Windows. */

import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

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

/** What the folders depend on: usually those of the process. */
export interface ClientEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

/** The folders of the person whose environment it is. */
export function clientFolders({ env, platform }: ClientEnvironment): ClientFolders {
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
