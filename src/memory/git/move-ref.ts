/**
 * Reads and moves the main ref by compare-and-swap under Git's own lock file, in process: a child that
 * outlived a killed coordinator could otherwise move it later.
 */

import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import { syncFolderNow } from './pack-files.ts';
import { mainRef } from './repository.ts';

const staleLockMs = 10_000;

/** The commit that main points to, null while there is none. Throws GIT_FAILED for a damaged ref. */
export function readMain(repositoryDir: string): string | null {
  const loose = readIfThere(join(repositoryDir, mainRef))?.trim();
  if (loose !== undefined) {
    if (/^[0-9a-f]{40}$/.test(loose)) return loose;
    // Taking it for a missing ref would begin a new history over the old one.
    throw new AppError('GIT_FAILED', { command: 'rev-parse', problem: `${mainRef} holds no commit id` });
  }
  const packed = readIfThere(join(repositoryDir, 'packed-refs')) ?? '';
  return new RegExp(`^([0-9a-f]{40}) ${mainRef}$`, 'm').exec(packed)?.[1] ?? null;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Moves main from `from` to `to`, durably. False when main is somewhere else by now. Throws GIT_FAILED
 * while someone else holds the ref's lock; a lock older than ten seconds is taken for abandoned.
 */
export function moveMain(repositoryDir: string, from: string | null, to: string): boolean {
  const path = join(repositoryDir, mainRef);
  const lock = `${path}.lock`;
  const file = takeLock(lock);
  try {
    try {
      writeSync(file, `${to}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (readMain(repositoryDir) !== from) {
      rmSync(lock, { force: true });
      return false;
    }
    renameSync(lock, path);
  } catch (error) {
    rmSync(lock, { force: true });
    throw error;
  }
  syncFolderNow(dirname(path));
  return true;
}

function takeLock(lock: string): number {
  for (let attempt = 0; ; attempt++) {
    try {
      return openSync(lock, 'wx', 0o644);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      if (attempt > 0 || !isStale(lock)) {
        const problem = 'the ref main is locked by another process';
        throw new AppError('GIT_FAILED', { command: 'update-ref', problem }, { cause: error });
      }
      rmSync(lock, { force: true });
    }
  }
}

function isStale(lock: string): boolean {
  try {
    return Date.now() - statSync(lock).mtimeMs > staleLockMs;
  } catch {
    return true;
  }
}

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
