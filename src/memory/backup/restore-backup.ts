/** From a stored backup to a repository and a journal on disk, as a coordinator would have left them. */

import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import { saltFile } from '../encryption/keyring.ts';
import { writePrivately } from '../encryption/private-file.ts';
import { landingPath, writeLandingFile } from '../git/landing.ts';
import { writeDurably } from '../git/pack-files.ts';
import { mainRef, prepareRepository } from '../git/repository.ts';
import { type Git, createGit } from '../git/run-git.ts';
import { decodeSegment } from '../journal/record-codec.ts';
import { type BackupTarget, maxSmallFileBytes, readAll } from './backup-target.ts';
import { readRefs } from './capture.ts';
import type { BackupKey } from './encryption.ts';
import { type BackupManifest, bundleName, journalName } from './manifest.ts';
import { checkManifest, readBackupFile } from './stored-backups.ts';

/**
 * Makes `memory.git`, `journal` and what passphrases need in `folder`, which exists. Each byte is held against the manifest, and the
 * manifest against the key. Throws BACKUP_DAMAGED, BACKUP_FAILED, GIT_FAILED.
 */
export async function restoreBackup(
  target: BackupTarget,
  manifest: BackupManifest,
  key: BackupKey | undefined,
  folder: string,
): Promise<void> {
  const { id, files } = manifest;
  await checkManifest(manifest, key);
  const git = createGit(join(folder, 'memory.git'));
  await prepareRepository(git);
  for (const file of files) {
    const content = readBackupFile(target, manifest, file, key);
    if (file.name === journalName) await writeJournal(manifest, content, join(folder, 'journal'));
    else await fetchBundle(git, content, join(folder, bundleName), id);
  }
  const refs = await readRefs(git);
  const head = refs.find(({ name }) => name === mainRef)?.id ?? null;
  if (head !== manifest.head || refs.length !== manifest.refs)
    throw new AppError('BACKUP_DAMAGED', {
      id,
      problem: 'it does not hold the refs that its manifest names',
    });
  if (manifest.keySalt !== undefined) writePrivately(join(folder, saltFile), `${manifest.keySalt}\n`);
  await mkdir(join(folder, 'journal'), { recursive: true });
  writeLandingFile(landingPath(join(folder, 'journal')), { landed: manifest.landed, attempts: [] });
}

/** Git reads bundles from files only. */
async function fetchBundle(
  git: Git,
  content: AsyncIterable<Uint8Array>,
  path: string,
  id: string,
): Promise<void> {
  try {
    await pipeline(Readable.from(content, { objectMode: false }), createWriteStream(path, { mode: 0o600 }));
    await git.run(['fetch', '--quiet', '--no-write-fetch-head', path, '+refs/*:refs/*']);
  } catch (error) {
    if (!isAppError(error, 'GIT_FAILED')) throw error;
    const problem = `Git does not take its bundle: ${messageOf(error)}`;
    throw new AppError('BACKUP_DAMAGED', { id, problem }, { cause: error });
  } finally {
    await rm(path, { force: true });
  }
}

async function writeJournal(
  manifest: BackupManifest,
  content: AsyncIterable<Uint8Array>,
  folder: string,
): Promise<void> {
  const bytes = await readAll(content, maxSmallFileBytes);
  const { records, goodBytes } = decodeSegment(bytes);
  const [first] = records;
  if (goodBytes !== bytes.length || records.length !== manifest.waiting || !first)
    throw new AppError('BACKUP_DAMAGED', { id: manifest.id, problem: 'its journal is not whole' });
  await mkdir(folder, { recursive: true });
  writeDurably(join(folder, `${String(first.seq).padStart(16, '0')}.journal`), bytes);
}
