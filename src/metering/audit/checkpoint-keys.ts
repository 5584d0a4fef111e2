/** The key that signs checkpoints: Ed25519 (RFC 8032), made once and kept in the data folder for its owner only. */

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { stableJson } from '../../kernel/stable-json.ts';
import type { StoredCheckpoint } from '../../store/audit-checkpoints.ts';

export interface CheckpointKey {
  /** The first 16 hexadecimal digits of the SHA-256 of the public key (DER, SubjectPublicKeyInfo). */
  readonly id: string;
  /** PEM. */
  readonly publicKey: string;
  sign(checkpoint: UnsignedCheckpoint): string;
}

export type UnsignedCheckpoint = Omit<StoredCheckpoint, 'signature'>;

/** Name of the file in the data folder: PKCS #8 as PEM. */
export const checkpointKeyName = 'audit-key.pem';

/** What is signed: stable JSON, UTF-8. */
function signedBytes({ tenant, seq, hash: end, at, keyId }: UnsignedCheckpoint): Buffer {
  return Buffer.from(stableJson({ tenant, seq, hash: end, at, keyId }), 'utf8');
}

function idOf(publicKey: KeyObject): string {
  return hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'hex').slice(0, 16);
}

function keyFrom(pem: string): CheckpointKey {
  const secret = createPrivateKey(pem);
  const publicKey = createPublicKey(secret);
  if (publicKey.asymmetricKeyType !== 'ed25519') throw new Error('is no Ed25519 key');
  return {
    id: idOf(publicKey),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (checkpoint) => sign(null, signedBytes(checkpoint), secret).toString('base64'),
  };
}

async function readPem(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The key that there is; undefined where none was made. Throws STORAGE_FAILED for a file that holds none. */
export async function readCheckpointKey(dataDir: string): Promise<CheckpointKey | undefined> {
  const path = join(dataDir, checkpointKeyName);
  try {
    const pem = await readPem(path);
    return pem === undefined ? undefined : keyFrom(pem);
  } catch (error) {
    throw new AppError('STORAGE_FAILED', { path, problem: messageOf(error) }, { cause: error });
  }
}

/** The same, made where there is none. */
export async function openCheckpointKey(dataDir: string): Promise<CheckpointKey> {
  const known = await readCheckpointKey(dataDir);
  if (known) return known;
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const path = join(dataDir, checkpointKeyName);
  const file = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await file.writeFile(pem);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
  return keyFrom(pem);
}

/** True when a checkpoint was signed with the key of that PEM, and the key has the id that the checkpoint names. */
export function isSignedBy(publicKeyPem: string, { signature, ...checkpoint }: StoredCheckpoint): boolean {
  try {
    const publicKey = createPublicKey(publicKeyPem);
    if (publicKey.asymmetricKeyType !== 'ed25519' || idOf(publicKey) !== checkpoint.keyId) return false;
    return verify(null, signedBytes(checkpoint), publicKey, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}
