/**
 * One coordinator per data folder. The lock is the operating system's, taken through SQLite, so it ends
 * with the process that holds it and a reused process id cannot fake it; the pid file only tells whose it is.
 */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../kernel/errors.ts';
import { toStorageError } from './journal/journal.ts';

/** Takes the folder, which must exist. Throws ALREADY_RUNNING, DISK_FULL or STORAGE_FAILED. */
export function lockDataDir(dataDir: string): Disposable {
  const pidFile = join(dataDir, 'coordinator.pid');
  const lock = openLock(dataDir, pidFile);
  try {
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (error) {
    lock.close();
    throw toStorageError(error, dataDir);
  }
  return {
    [Symbol.dispose]() {
      rmSync(pidFile, { force: true });
      lock.close();
    },
  };
}

function openLock(dataDir: string, pidFile: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(join(dataDir, 'coordinator.lock'), { timeout: 0 });
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
    return db;
  } catch (error) {
    db?.close();
    const isBusy = (error as { errcode?: number }).errcode === 5;
    if (isBusy) throw new AppError('ALREADY_RUNNING', { pid: readPid(pidFile), dataDir }, { cause: error });
    throw toStorageError(error, dataDir);
  }
}

function readPid(pidFile: string): number | string {
  try {
    return Number(readFileSync(pidFile, 'utf8')) || 'unknown';
  } catch {
    return 'unknown';
  }
}
