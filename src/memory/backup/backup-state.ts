/** What a data folder remembers of its backups, so that a schedule and a status outlive a restart. */

import { readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { toStorageError } from '../journal/journal.ts';

const stateShape = z.object({
  /** Where the backups below went. */
  target: z.string().default(''),
  lastSuccess: z
    .object({ id: z.string(), at: z.iso.datetime(), bytes: z.number(), seconds: z.number() })
    .optional(),
  lastError: z.object({ at: z.iso.datetime(), message: z.string() }).optional(),
  /** The state of the memory that the last backup holds. */
  fingerprint: z.string().optional(),
  /** When a backup was last made, or found not to be needed. */
  doneAtMs: z.number().optional(),
  /** Begun and not yet done; after a kill it is to be taken away. */
  unfinished: z.string().optional(),
});

export type BackupState = z.infer<typeof stateShape>;

/** The state; an empty one when there is none, or none that can be read. */
export async function readBackupState(path: string): Promise<BackupState> {
  try {
    return stateShape.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return { target: '' };
  }
}

/** Replaces the state. Throws DISK_FULL and STORAGE_FAILED. */
export async function writeBackupState(path: string, state: BackupState): Promise<void> {
  try {
    await writeFile(`${path}.tmp`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
    await rename(`${path}.tmp`, path);
  } catch (error) {
    throw toStorageError(error, path);
  }
}
