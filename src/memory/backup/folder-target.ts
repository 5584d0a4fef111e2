/** Backups in a local folder (or a mounted one): a file is written beside its name, synced and renamed. */

import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import { toStorageError } from '../journal/journal.ts';
import { syncFolder } from '../journal/segment-files.ts';
import type { BackupTarget, StoredFile } from './backup-target.ts';

const partialEnding = '.partial';

/** Backups under `folder`, which is made when needed. Throws DISK_FULL and STORAGE_FAILED. */
export function createFolderTarget(folder: string): BackupTarget {
  const pathOf = (name: string) => join(folder, ...name.split('/'));

  async function files(): Promise<(StoredFile & { readonly changedMs: number })[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(orNothing);
    const found = entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        const about = await stat(path).catch(() => undefined);
        const name = path.slice(folder.length).split(sep).filter(Boolean).join('/');
        return about && { name, bytes: about.size, changedMs: about.mtimeMs };
      });
    return (await Promise.all(found)).filter((file) => file !== undefined);
  }

  async function removeFiles(names: readonly string[]): Promise<void> {
    const paths = names.map(pathOf).flatMap((path) => [path, path + partialEnding]);
    for (const path of paths) await rm(path, { force: true });
    for (const parent of new Set(names.map((name) => dirname(pathOf(name))))) {
      // Still holds something, or never was.
      if (parent !== folder) await rmdir(parent).catch(() => {});
    }
  }

  return {
    label: folder,
    async put(name, content) {
      const path = pathOf(name);
      const partial = path + partialEnding;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const handle = await open(partial, 'w', 0o600);
        try {
          for await (const chunk of content) await writeWhole(handle, chunk);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(partial, path);
        await syncFolder(dirname(path));
        await syncFolder(folder);
      } catch (error) {
        await rm(partial, { force: true });
        throw error instanceof AppError ? error : toStorageError(error, folder);
      }
    },
    async *get(name) {
      try {
        yield* createReadStream(pathOf(name)) as AsyncIterable<Buffer>;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT')
          throw new AppError('NOT_FOUND', { what: 'backup file', id: name });
        throw toStorageError(error, folder);
      }
    },
    async list() {
      const all = await files().catch((error: unknown) => {
        throw toStorageError(error, folder);
      });
      return all
        .filter(({ name }) => !name.endsWith(partialEnding))
        .map(({ name, bytes }) => ({ name, bytes }));
    },
    remove: removeFiles,
    async sweep(beforeMs) {
      const stale = (await files()).filter(
        ({ name, changedMs }) => name.endsWith(partialEnding) && changedMs < beforeMs,
      );
      await removeFiles(stale.map(({ name }) => name));
    },
  };
}

async function writeWhole(handle: Awaited<ReturnType<typeof open>>, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += (await handle.write(chunk, done, chunk.length - done)).bytesWritten;
  }
}

function orNothing(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
