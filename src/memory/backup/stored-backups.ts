/** The backups that a target holds: found, listed, read and checked. */

import { createHash } from 'node:crypto';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { type BackupTarget, readAll } from './backup-target.ts';
import type { BackupKey } from './encryption.ts';
import { type BackupManifest, checkSeal, decodeManifest, manifestName, timeOfId } from './manifest.ts';

/** What of a backup's manifest everyone may know, with how it was found. */
export interface StoredBackup {
  readonly id: string;
  readonly atMs: number;
  /** Undefined when it cannot be read. */
  readonly manifest?: BackupManifest;
  /** Why it cannot be used, as far as a look at names and sizes tells. */
  readonly problem?: string;
  /** Names in the target. */
  readonly names: readonly string[];
  readonly bytes: number;
}

export interface StoredBackups {
  /** Those with a manifest, newest first. */
  readonly whole: readonly StoredBackup[];
  /** Those without: under way, or interrupted. */
  readonly partial: readonly StoredBackup[];
}

const maxManifestBytes = 1024 * 1024;

/** Everything in a target that is named as a backup; other files there are none of ours. */
export async function findBackups(target: BackupTarget): Promise<StoredBackups> {
  const files = await target.list();
  const byId = Map.groupBy(files, ({ name }) => name.split('/')[0] ?? '');
  const found: StoredBackup[] = [];
  for (const [id, own] of byId) {
    const atMs = timeOfId(id);
    if (atMs === undefined || own.some(({ name }) => name.split('/').length !== 2)) continue;
    const names = own.map(({ name }) => name);
    const about = { id, atMs, names, bytes: own.reduce((sum, { bytes }) => sum + bytes, 0) };
    if (!names.includes(`${id}/${manifestName}`)) found.push({ ...about, problem: 'it has no manifest' });
    else
      found.push({
        ...about,
        ...(await look(target, id, new Map(own.map(({ name, bytes }) => [name, bytes])))),
      });
  }
  const newestFirst = found.toSorted((a, b) => b.atMs - a.atMs || (a.id < b.id ? 1 : -1));
  const hasManifest = ({ id, names }: StoredBackup) => names.includes(`${id}/${manifestName}`);
  return {
    whole: newestFirst.filter(hasManifest),
    partial: newestFirst.filter((backup) => !hasManifest(backup)),
  };
}

/** Takes a backup away. The manifest goes first, so that nobody takes what is half gone for a backup. */
export async function removeBackup(target: BackupTarget, { id, names }: StoredBackup): Promise<void> {
  const manifest = `${id}/${manifestName}`;
  await target.remove(names.filter((name) => name === manifest));
  await target.remove(names.filter((name) => name !== manifest));
}

async function look(target: BackupTarget, id: string, sizes: ReadonlyMap<string, number>) {
  try {
    const manifest = await readManifest(target, id);
    const wrong = manifest.files.find(({ name, bytes }) => sizes.get(`${id}/${name}`) !== bytes);
    return { manifest, ...(wrong && { problem: `${wrong.name} is missing or has another size` }) };
  } catch (error) {
    if (isAppError(error, 'BACKUP_DAMAGED')) return { problem: String(error.data['problem']) };
    throw error;
  }
}

/** The manifest of a backup. Throws NOT_FOUND and BACKUP_DAMAGED. */
export async function readManifest(target: BackupTarget, id: string): Promise<BackupManifest> {
  const bytes = await readAll(target.get(`${id}/${manifestName}`), maxManifestBytes);
  return decodeManifest(bytes, id);
}

/**
 * A file of a backup as it was before it was encrypted. Its hash is known to be right only when the stream has
 * ended without BACKUP_DAMAGED.
 */
export async function* readBackupFile(
  target: BackupTarget,
  manifest: BackupManifest,
  file: BackupManifest['files'][number],
  key: BackupKey | undefined,
): AsyncGenerator<Uint8Array> {
  const { id } = manifest;
  const name = `${id}/${file.name}`;
  if (!manifest.encrypted) {
    yield* hashed(target.get(name), file, id);
    return;
  }
  if (!key) throw new AppError('BACKUP_DAMAGED', { id, problem: 'it is encrypted, and no key was given' });
  yield* key.decrypt(hashed(target.get(name), file, id), name);
}

async function* hashed(
  content: AsyncIterable<Uint8Array>,
  file: BackupManifest['files'][number],
  id: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    bytes += chunk.length;
    yield chunk;
  }
  if (bytes === file.bytes && hash.digest('hex') === file.sha256) return;
  throw new AppError('BACKUP_DAMAGED', { id, problem: `${file.name} is not what was written` });
}

/** Holds the manifest of an encrypted backup against the key. Throws BACKUP_DAMAGED. */
export async function checkManifest(manifest: BackupManifest, key: BackupKey | undefined): Promise<void> {
  const { id } = manifest;
  if (manifest.encrypted && !key)
    throw new AppError('BACKUP_DAMAGED', { id, problem: 'it is encrypted, and no key was given' });
  if (manifest.encrypted && key) await checkSeal(manifest, key);
}
