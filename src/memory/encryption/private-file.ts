/** Files that hold secrets: for the owner only, and durable or unchanged. */

import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolderNow } from '../git/pack-files.ts';

/** Replaces a file durably; nobody but the owner may read it (on Windows the folder's rights count). */
export function writePrivately(path: string, text: string): void {
  writeSynced(`${path}.tmp`, 'w', text);
  renameSync(`${path}.tmp`, path);
  syncFolderNow(dirname(path));
}

/** Adds to the end of a file, durably. */
export function appendPrivately(path: string, text: string): void {
  writeSynced(path, 'a', text);
  syncFolderNow(dirname(path));
}

function writeSynced(path: string, flags: 'w' | 'a', text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  const file = openSync(path, flags, 0o600);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
