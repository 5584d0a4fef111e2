/** Opens files and makes folders at located places, through pinned folders. */

import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ToolError } from '../../kernel/define-server.ts';
import { hasCode, isInside, type Located, readable, replaced } from './path-guard.ts';
import { inFolder } from './pinned-folder.ts';

/** Opens a regular file: its last part is no link, and it is the one that was located. */
export async function openFile(located: Located, flags: number): Promise<FileHandle> {
  // Windows has neither flag; there the comparison below does the work. O_NONBLOCK: a pipe must not hang.
  const guarded = flags | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  return inFolder(dirname(located.path), located, async (at) => {
    const path = join(at, basename(located.path));
    const handle = await open(path, guarded, 0o666).catch((error: unknown) => {
      throw readable(error, located);
    });
    try {
      const opened = await handle.stat();
      if (!opened.isFile()) throw new ToolError(`${located.field}: ${located.shown} is not a regular file`);
      const now = await stat(path);
      if (now.ino !== opened.ino || now.dev !== opened.dev) throw replaced(located);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

/** Makes the folders above a place that are missing, one by one, following no link that appears meanwhile. */
export async function makeParents(located: Located): Promise<void> {
  const folders: string[] = [];
  for (let folder = dirname(located.path); folder !== located.root.real; folder = dirname(folder)) {
    if (!isInside(located.root.real, folder)) break;
    folders.unshift(folder);
  }
  for (const folder of folders) {
    await inFolder(dirname(folder), located, (at) => mkdir(join(at, basename(folder)))).catch(
      (error: unknown) => {
        if (!hasCode(error, 'EEXIST')) throw readable(error, located);
      },
    );
  }
}
