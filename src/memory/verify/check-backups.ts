/** The stored backups: hashes, decryption, and for the newest a real restore into a folder that goes away again. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import type { BackupTarget } from '../backup/backup-target.ts';
import { type BackupKey, createBackupKey } from '../backup/encryption.ts';
import { type TargetSettings, openBackupTarget } from '../backup/open-target.ts';
import { restoreBackup } from '../backup/restore-backup.ts';
import { type StoredBackup, checkManifest, findBackups, readBackupFile } from '../backup/stored-backups.ts';
import type { Finding } from './finding.ts';

const makeNew = 'make a new backup: git-memory-mcp memory backup; then delete this one';

export interface BackupsInput {
  readonly target: TargetSettings;
  readonly encryptionKey?: string | undefined;
  /** Restores every one for a look, not only the newest. */
  readonly isFull: boolean;
  readonly onProgress: (done: number, total: number) => void;
}

/** Checks all backups of a target; returns how many there are. */
export async function checkBackups(input: BackupsInput): Promise<{ findings: Finding[]; backups: number }> {
  const where = `backups ${input.target.to}`;
  try {
    const target = openBackupTarget(input.target);
    const key = input.encryptionKey === undefined ? undefined : createBackupKey(input.encryptionKey);
    const { whole, partial } = await findBackups(target);
    const findings: Finding[] = partial.map(({ id }) => ({
      severity: 'note',
      where: `backup ${id}`,
      problem: 'has no manifest: it is being written, or was interrupted',
      fix: 'none; it is taken away by a later backup',
    }));
    if (whole.length === 0)
      findings.push({
        severity: 'error',
        where,
        problem: 'there is none',
        fix: 'make one: git-memory-mcp memory backup',
      });
    for (const [at, backup] of whole.entries()) {
      input.onProgress(at, whole.length);
      const problem = await problemOf(target, backup, key, at === 0 || input.isFull);
      const severity = at === 0 ? 'error' : 'warning';
      if (problem !== undefined)
        findings.push({ severity, where: `backup ${backup.id}`, problem, fix: makeNew });
    }
    return { findings, backups: whole.length };
  } catch (error) {
    const fix = 'look whether the place can be reached, and at memory.backup in the config';
    return { findings: [{ severity: 'error', where, problem: messageOf(error), fix }], backups: 0 };
  }
}

async function problemOf(
  target: BackupTarget,
  backup: StoredBackup,
  key: BackupKey | undefined,
  isRestored: boolean,
): Promise<string | undefined> {
  const { manifest, problem } = backup;
  if (problem !== undefined || !manifest) return problem ?? 'has no manifest';
  try {
    if (isRestored) {
      await tryRestore(target, manifest, key);
      return undefined;
    }
    await checkManifest(manifest, key);
    for (const file of manifest.files) {
      for await (const _ of readBackupFile(target, manifest, file, key));
    }
    return undefined;
  } catch (error) {
    if (isAppError(error, 'BACKUP_DAMAGED')) return String(error.data['problem']);
    // Taken away by a later backup while we looked.
    if (isAppError(error, 'NOT_FOUND')) return undefined;
    if (error instanceof AppError || error instanceof RangeError) return error.message;
    throw error;
  }
}

async function tryRestore(
  target: BackupTarget,
  manifest: NonNullable<StoredBackup['manifest']>,
  key: BackupKey | undefined,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'git-memory-verify-'));
  try {
    await restoreBackup(target, manifest, key, folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
