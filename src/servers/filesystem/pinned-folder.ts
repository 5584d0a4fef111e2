/**
 * Holds on to a folder while something is done in it. Between a check of a path and its use another process
 * can swap a folder on the way for a link. On Linux the folder is opened, its true place is checked on the
 * open descriptor, and all that follows goes through the descriptor (as `openat` does): no swap moves it.
 * Elsewhere Node offers no such way, and the path is checked right before each use.
 */

import { constants, existsSync } from 'node:fs';
import { type FileHandle, open, readlink } from 'node:fs/promises';
import { type Located, mustStayReal, readable, replaced } from './path-guard.ts';

const descriptors = '/proc/self/fd';

/** Runs `work` with a path of the folder that stays the same folder; `folder` has no link in it. */
export async function inFolder<T>(
  folder: string,
  located: Located,
  work: (at: string) => Promise<T>,
): Promise<T> {
  if (process.platform !== 'linux' || !existsSync(descriptors)) {
    await mustStayReal(folder, located);
    return work(folder);
  }
  await using handle = await openFolder(folder, located);
  const at = `${descriptors}/${handle.fd}`;
  if ((await readlink(at)) !== folder) throw replaced(located);
  return await work(at);
}

async function openFolder(folder: string, located: Located): Promise<FileHandle> {
  try {
    return await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    throw readable(error, located);
  }
}
