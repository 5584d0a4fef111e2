/** Files appear whole or not at all. */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ToolError } from '../../kernel/define-server.ts';
import { type Located, readable } from './path-guard.ts';
import { inFolder } from './pinned-folder.ts';

/** Writes beside the place and renames over it; mode bits of an existing file stay. */
export async function writeFileAtomically(located: Located, bytes: Uint8Array): Promise<void> {
  await inFolder(dirname(located.path), located, async (at) => {
    const [path, partial] = [join(at, basename(located.path)), join(at, `.${randomUUID()}.partial`)];
    try {
      const before = await lstat(path).catch(() => undefined);
      if (before?.isDirectory() === true) {
        throw new ToolError(`${located.field}: ${located.shown} is a folder, not a file`);
      }
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
      await using handle = await open(partial, flags, 0o666);
      await handle.writeFile(bytes);
      if (before?.isFile() === true) await handle.chmod(before.mode & 0o7777);
      await handle.sync();
      await handle.close();
      await rename(partial, path);
      await syncFolder(at);
    } catch (error) {
      await rm(partial, { force: true }).catch(() => {});
      throw readable(error, located);
    }
  });
}

/** Makes a rename survive a power loss; Windows does that by itself and cannot open folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using handle = await open(folder, constants.O_RDONLY);
  await handle.sync();
}

const locks = new Map<string, Promise<unknown>>();

/** Runs changes to one path one after another, so that two edits do not undo each other. */
export async function whileLocked<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = locks.get(path) ?? Promise.resolve();
  const mine = before.then(work, work);
  const settled = mine.catch(() => {});
  locks.set(path, settled);
  try {
    return await mine;
  } finally {
    if (locks.get(path) === settled) locks.delete(path);
  }
}
