/** Writes a file so that a crash leaves either the old or the new one, never half of it. */

import { chmod, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Follows a symbolic link (dotfiles are often links) and keeps the permissions; new files are for the owner only. */
export async function writeFileSafely(
  path: string,
  content: string | Buffer,
  newMode = 0o600,
): Promise<void> {
  const target = await realpath(path).catch(() => path);
  await mkdir(dirname(target), { recursive: true });
  const known = await stat(target).catch(() => undefined);
  const mode = known ? known.mode & 0o777 : newMode;
  const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeFile(temporary, content, { mode, flush: true });
    await chmod(temporary, mode);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
