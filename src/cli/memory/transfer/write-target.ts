/** Exports that are whole or not there: written beside the target and renamed when they are complete. */

import { createWriteStream } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError, messageOf } from '../../../kernel/errors.ts';

/** A file of a folder export; `path` has `/` and never leads out of the folder. */
export interface TargetFile {
  readonly path: string;
  readonly text: string;
}

/** What was there before and was moved aside, if anything. */
export interface WrittenTarget {
  readonly movedTo?: string;
}

/** What stands at a path; a link counts as itself, so that nothing behind it is replaced. */
async function kindOfTarget(path: string): Promise<'nothing' | 'empty' | 'full'> {
  const info = await lstat(path).catch(() => undefined);
  if (!info) return 'nothing';
  if (!info.isDirectory()) return 'full';
  return (await readdir(path)).length === 0 ? 'empty' : 'full';
}

/** Throws INVALID_INPUT when something is there that only --force may replace. */
export async function checkTarget(path: string, isForced: boolean): Promise<void> {
  if (isForced || (await kindOfTarget(path)) !== 'full') return;
  const problem = `${path} exists and is not empty; choose another, or use --force`;
  throw new AppError('INVALID_INPUT', { field: 'target', problem });
}

/** A name beside the target, on the same file system. */
function beside(path: string, word: string): string {
  return `${path}.${crypto.randomUUID().slice(0, 8)}.${word}`;
}

/** Puts what is complete to its place. A folder that was there is moved aside, as it may hold more than an export. */
async function place(temporary: string, path: string): Promise<WrittenTarget> {
  const kind = await kindOfTarget(path);
  const isFolder = kind !== 'nothing' && (await lstat(path)).isDirectory();
  if (kind === 'empty') await rmdir(path);
  if (kind !== 'full' || !isFolder) {
    await rename(temporary, path);
    return {};
  }
  const movedTo = beside(path, 'old');
  await rename(path, movedTo);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rename(movedTo, path);
    throw error;
  }
  return { movedTo };
}

/** Runs the writer on a temporary path and places the result; nothing stays of one that fails. */
async function writeWhole(path: string, write: (temporary: string) => Promise<void>): Promise<WrittenTarget> {
  const temporary = beside(path, 'tmp');
  try {
    await mkdir(dirname(path), { recursive: true });
    await write(temporary);
    return await place(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new AppError('STORAGE_FAILED', { path, problem: messageOf(error) }, { cause: error });
  }
}

/** Writes a file from pieces of text. */
export function writeFileTarget(path: string, pieces: AsyncIterable<string>): Promise<WrittenTarget> {
  return writeWhole(path, (temporary) =>
    pipeline(pieces, createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true })),
  );
}

/** Writes a folder of files. */
export function writeFolderTarget(path: string, files: AsyncIterable<TargetFile>): Promise<WrittenTarget> {
  return writeWhole(path, async (temporary) => {
    await mkdir(temporary, { mode: 0o700 });
    const made = new Set<string>();
    for await (const file of files) {
      const full = join(temporary, ...file.path.split('/'));
      const folder = dirname(full);
      if (!made.has(folder)) await mkdir(folder, { recursive: true });
      made.add(folder);
      await writeFile(full, file.text, { flag: 'wx' });
    }
  });
}
