/** What a backup consists of. The manifest is written last: a backup without one does not exist. */

import { AppError, messageOf } from '../../kernel/errors.ts';
import { z } from 'zod';
import { readAll } from './backup-target.ts';
import type { BackupKey } from './encryption.ts';

/** Names of the files in a backup's folder. */
export const bundleName = 'repository.bundle';
export const journalName = 'waiting.journal';
export const manifestName = 'manifest.json';

/** `20261121T030136Z-1a2b3c4d`: its time to the second, and eight random digits. */
const idPattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{8}$/;

const commitId = z.string().regex(/^[0-9a-f]{40}$/);

const manifestShape = z.object({
  format: z.literal(1),
  id: z.string().regex(idPattern),
  /** ISO 8601: everything acknowledged until then is in it. */
  at: z.iso.datetime(),
  product: z.string(),
  head: commitId.nullable(),
  /** Journal position of the last acknowledged write. */
  lastSeq: z.int().min(0),
  /** Up to here the journal is in the bundle's main. */
  landed: z.object({ seq: z.int().min(0), commit: commitId }).nullable(),
  refs: z.int().min(0),
  /** Acknowledged writes that are in the journal file and not in the bundle. */
  waiting: z.int().min(0),
  encrypted: z.boolean(),
  /** What passphrases of `memory.keys` need beside them, in base64. */
  keySalt: z.string().max(100).optional(),
  /** As they are stored. */
  files: z.array(
    z.object({
      name: z.enum([bundleName, journalName]),
      bytes: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
  /** All of the above once more under the key, in base64: whoever has no key cannot make up a manifest. */
  seal: z.string().optional(),
});

export type BackupManifest = z.infer<typeof manifestShape>;
type Unsealed = Omit<BackupManifest, 'seal'>;

const maxManifestBytes = 1024 * 1024;

/** When a backup was begun, in milliseconds since the Unix epoch; undefined for what is no id of ours. */
export function timeOfId(id: string): number | undefined {
  const match = idPattern.exec(id);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** The id of a backup that begins at a time. */
export function newBackupId(atMs: number): string {
  const stamp = new Date(atMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${stamp}-${crypto.randomUUID().slice(0, 8)}`;
}

/** Bytes of the manifest file, sealed when there is a key. */
export async function encodeManifest(given: Unsealed, key: BackupKey | undefined): Promise<Buffer> {
  // In the order of the shape, which is how it will be read.
  const manifest = manifestShape.omit({ seal: true }).parse(given);
  const text = JSON.stringify(manifest);
  const sealed =
    key && (await readAll(key.encrypt(once(Buffer.from(text)), sealOf(manifest.id)), maxManifestBytes));
  const whole = { ...manifest, ...(sealed && { seal: sealed.toString('base64') }) };
  return Buffer.from(`${JSON.stringify(whole, null, 2)}\n`);
}

/** Reads a manifest file. Throws BACKUP_DAMAGED. */
export function decodeManifest(bytes: Buffer, id: string): BackupManifest {
  try {
    const manifest = manifestShape.parse(JSON.parse(bytes.toString('utf8')));
    if (manifest.id !== id) throw new Error(`it is of ${manifest.id}`);
    return manifest;
  } catch (error) {
    const problem = `its manifest cannot be read: ${messageOf(error)}`;
    throw new AppError('BACKUP_DAMAGED', { id, problem }, { cause: error });
  }
}

/** Holds an encrypted backup's manifest against its seal. Throws BACKUP_DAMAGED. */
export async function checkSeal(manifest: BackupManifest, key: BackupKey): Promise<void> {
  const { seal, ...rest } = manifest;
  const sealed = Buffer.from(seal ?? '', 'base64');
  const text = await readAll(key.decrypt(once(sealed), sealOf(manifest.id)), maxManifestBytes);
  if (text.toString('utf8') === JSON.stringify(rest)) return;
  throw new AppError('BACKUP_DAMAGED', { id: manifest.id, problem: 'its manifest was altered' });
}

function sealOf(id: string): string {
  return `${id}/${manifestName}`;
}

/** A stream of one chunk. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
