/**
 * Reads and moves refs, main above all, by compare-and-swap under Git's own lock file, in process: a child that
 * outlived a killed coordinator could otherwise move it later.
 */

import {
  closeSync,
  fsyncSync,
  mkdirSync,
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
  return readRef(repositoryDir, mainRef);
}

/** The commit that a ref points to by its full name, null while there is none. Throws GIT_FAILED for a damaged one. */
export function readRef(repositoryDir: string, ref: string): string | null {
  const loose = readIfThere(join(repositoryDir, ref))?.trim();
  if (loose !== undefined) {
    if (/^[0-9a-f]{40}$/.test(loose)) return loose;
    // Taking it for a missing ref would begin a new history over the old one.
    throw new AppError('GIT_FAILED', { command: 'rev-parse', problem: `${ref} holds no commit id` });
  }
  const packed = readIfThere(join(repositoryDir, 'packed-refs')) ?? '';
  const line = packed.split('\n').find((one) => one.slice(41) === ref);
  return (line && /^[0-9a-f]{40}(?= )/.exec(line)?.[0]) ?? null;
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
  return moveRef(repositoryDir, mainRef, from, to);
}

/** The same for any ref, by its full name. */
export function moveRef(repositoryDir: string, ref: string, from: string | null, to: string): boolean {
  const path = join(repositoryDir, ref);
  const lock = `${path}.lock`;
  mkdirSync(dirname(lock), { recursive: true });
  const file = takeLock(lock, ref);
  try {
    try {
      writeSync(file, `${to}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (readRef(repositoryDir, ref) !== from) {
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

function takeLock(lock: string, ref: string): number {
  for (let attempt = 0; ; attempt++) {
    try {
      return openSync(lock, 'wx', 0o644);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      if (attempt > 0 || !isStale(lock)) {
        const problem = `the ref ${ref} is locked by another process`;
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
