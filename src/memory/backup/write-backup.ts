/** Writes one backup, then takes away interrupted and outdated ones. Runs in a worker. */

import { createHash } from 'node:crypto';
import { messageOf } from '../../kernel/errors.ts';
import { product } from '../../kernel/product.ts';
import { createGit } from '../git/run-git.ts';
import { type PackedBatch, unpackBatch } from '../threads/packed-batch.ts';
import { encodeRecords, segmentMagic } from '../journal/record-codec.ts';
import type { BackupTarget } from './backup-target.ts';
import { bundleOf } from './bundle.ts';
import type { Capture } from './capture.ts';
import { type BackupKey, createBackupKey } from './encryption.ts';
import {
  type BackupManifest,
  bundleName,
  encodeManifest,
  journalName,
  manifestName,
  once,
} from './manifest.ts';
import { type TargetSettings, openBackupTarget } from './open-target.ts';
import { type Keep, chooseOutdated } from './retention.ts';
import { findBackups, removeBackup } from './stored-backups.ts';

/** Everything that one backup needs, as plain data. */
export interface BackupJob {
  readonly id: string;
  readonly repositoryDir: string;
  readonly capture: Omit<Capture, 'waiting'> & { readonly waiting: PackedBatch };
  readonly target: TargetSettings;
  /** As the config's reference gave it. */
  readonly encryptionKey?: string | undefined;
  /** Of the data folder's passphrases, in base64. */
  readonly keySalt?: string | undefined;
  readonly keep: Keep;
  /** One that a killed coordinator of ours left, if any. */
  readonly unfinished?: string | undefined;
}

export interface BackupResult {
  readonly manifest: BackupManifest;
  readonly bytes: number;
  /** Ids of backups that were taken away. */
  readonly removed: readonly string[];
  /** Why older backups could not be tidied up; the new one is good all the same. */
  readonly tidyProblem?: string;
}

type StoredFile = BackupManifest['files'][number];

/** Throws GIT_FAILED, BACKUP_FAILED, DISK_FULL, STORAGE_FAILED; then the target has no trace of it, if it can be reached. */
export async function writeBackup(job: BackupJob, onBytes: (bytes: number) => void): Promise<BackupResult> {
  const target = openBackupTarget(job.target);
  const key = job.encryptionKey === undefined ? undefined : createBackupKey(job.encryptionKey);
  let manifest: BackupManifest;
  let bytes: number;
  try {
    const files = await putFiles(job, target, key, onBytes);
    manifest = manifestOf(job, files);
    const encoded = await encodeManifest(manifest, key);
    await target.put(`${job.id}/${manifestName}`, once(encoded));
    bytes = files.reduce((sum, file) => sum + file.bytes, encoded.length);
  } catch (error) {
    await target.remove(namesOf(job.id)).catch(() => {});
    throw error;
  }
  try {
    return { manifest, bytes, removed: await tidyUp(target, job) };
  } catch (error) {
    return { manifest, bytes, removed: [], tidyProblem: messageOf(error) };
  }
}

function namesOf(id: string): string[] {
  return [manifestName, bundleName, journalName].map((name) => `${id}/${name}`);
}

function manifestOf(job: BackupJob, files: StoredFile[]): BackupManifest {
  const { atMs, head, lastSeq, landed, refs, waiting } = job.capture;
  return {
    format: 1,
    id: job.id,
    at: new Date(atMs).toISOString(),
    product: product.version,
    head,
    lastSeq,
    landed,
    refs: refs.length,
    waiting: waiting.heads.length,
    encrypted: job.encryptionKey !== undefined,
    keySalt: job.keySalt,
    files,
  };
}

async function putFiles(
  job: BackupJob,
  target: BackupTarget,
  key: BackupKey | undefined,
  onBytes: (bytes: number) => void,
): Promise<StoredFile[]> {
  const { refs, waiting } = job.capture;
  let total = 0;

  async function put(file: StoredFile['name'], plain: AsyncIterable<Uint8Array>): Promise<StoredFile> {
    const name = `${job.id}/${file}`;
    const hash = createHash('sha256');
    let bytes = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const chunk of key ? key.encrypt(plain, name) : plain) {
        hash.update(chunk);
        bytes += chunk.length;
        total += chunk.length;
        onBytes(total);
        yield chunk;
      }
    }
    await target.put(name, counted());
    return { name: file, bytes, sha256: hash.digest('hex') };
  }

  const files: StoredFile[] = [];
  if (refs.length > 0) files.push(await put(bundleName, bundleOf(createGit(job.repositoryDir), refs)));
  if (waiting.heads.length > 0) files.push(await put(journalName, segmentOf(waiting)));
  return files;
}

async function* segmentOf(waiting: PackedBatch): AsyncGenerator<Uint8Array> {
  yield segmentMagic;
  for (const record of unpackBatch(waiting)) yield encodeRecords([record]);
}

/** Interrupted backups of others are only taken for such after so long. */
const abandonedMs = 86_400_000;

async function tidyUp(target: BackupTarget, job: BackupJob): Promise<string[]> {
  const { whole, partial } = await findBackups(target);
  const beforeMs = job.capture.atMs - abandonedMs;
  const left = partial.filter(({ id, atMs }) => id === job.unfinished || atMs < beforeMs);
  // What cannot be used counts for nothing: it neither fills a place nor is it worth keeping in one.
  const usable = whole.filter(({ problem }) => problem === undefined);
  const outdated = usable.some(({ id }) => id === job.id) ? chooseOutdated(usable, job.keep) : [];
  const gone = [...left, ...outdated];
  for (const one of gone) await removeBackup(target, one);
  // Half a file is not listed.
  if (job.unfinished !== undefined) await target.remove(namesOf(job.unfinished));
  await target.sweep(beforeMs).catch(() => {});
  return gone.map(({ id }) => id);
}
