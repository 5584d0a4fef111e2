/** The key that wraps the keys of all secrets: from a file, from text of the environment, or of a passphrase by scrypt. */

import { createHmac, randomBytes, scrypt } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError } from '../kernel/errors.ts';
import type { MasterKeyRow } from '../store/secrets.ts';
import { keyBytes } from './envelope.ts';

/** Where the key is. */
export type KeySource =
  /** 32 bytes in base64 or hex; `mayCreate`: one is made there when there is none. */
  | { readonly kind: 'file'; readonly path: string; readonly mayCreate: boolean }
  /** The same as text. */
  | { readonly kind: 'text'; read(): Promise<string> }
  | { readonly kind: 'passphrase'; read(): Promise<string> }
  /** Wrapped by a service that does not give its own key away; `open` has it unwrapped, `wrap` makes the text for it. */
  | { readonly kind: 'transit'; wrap(key: Buffer): Promise<string>; unwrap(text: string): Promise<Buffer> };

export interface MasterKey {
  readonly id: string;
  readonly bytes: Buffer;
  /** Kept beside the id: what it takes to make the same key again. No secret. */
  readonly parameters: string;
}

const field = 'secrets.local.key';
const minPassphraseLength = 12;
const scryptCost = { N: 2 ** 17, r: 8, p: 1 };
/** What the store says must not make us work for hours. */
const mostCost = { N: 2 ** 20, r: 16, p: 4 };

function wrong(problem: string): AppError {
  return new AppError('CONFIG_INVALID', { file: field, problem, path: field });
}

/** 32 bytes in hex or base64, also in its URL form; undefined for all else. */
function decodeKey(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) ? Buffer.from(trimmed, 'base64') : undefined;
}

function idOf(bytes: Buffer): string {
  return createHmac('sha256', bytes).update('git-memory-mcp master key').digest('hex').slice(0, 16);
}

function stretch(passphrase: string, parameters: ScryptParameters): Promise<Buffer> {
  const { N, r, p, salt } = parameters;
  return new Promise((resolve, reject) => {
    const options = { N, r, p, maxmem: 256 * N * r };
    scrypt(passphrase.normalize('NFC'), Buffer.from(salt, 'base64'), keyBytes, options, (error, bytes) =>
      error ? reject(error) : resolve(bytes),
    );
  });
}

interface ScryptParameters {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  /** Base64. */
  readonly salt: string;
}

function scryptParameters(kept: string | undefined): ScryptParameters {
  if (kept === undefined) return { ...scryptCost, salt: randomBytes(32).toString('base64') };
  const found = JSON.parse(kept) as Partial<ScryptParameters>;
  const { N = 0, r = 0, p = 0, salt = '' } = found;
  const isFine = N > 0 && N <= mostCost.N && r > 0 && r <= mostCost.r && p > 0 && p <= mostCost.p;
  if (!isFine || salt === '')
    throw wrong('is a passphrase, but the secrets were sealed under another kind of key');
  return { N, r, p, salt };
}

/** Writes a key where nobody but the owner may read it, durably; the file must not be there. */
export async function writeKeyFile(path: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(`${bytes.toString('base64')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The file that a rotation writes before it changes the store. */
export function nextFileOf(path: string): string {
  return `${path}.next`;
}

/** Puts a key that was rotated to in the place of the former one. */
export async function takeNextFile(path: string): Promise<void> {
  await rename(nextFileOf(path), path);
  await chmod(path, 0o600);
}

async function readKeyFile(path: string): Promise<Buffer | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT') return undefined;
    throw wrong(`is in ${path}, which cannot be read (${code})`);
  }
  const bytes = decodeKey(text);
  if (!bytes) throw wrong(`is in ${path}, which does not hold 32 bytes in base64 or hex`);
  return bytes;
}

async function fromFile(
  { path, mayCreate }: Extract<KeySource, { kind: 'file' }>,
  kept: MasterKeyRow | undefined,
): Promise<Buffer> {
  const found = await readKeyFile(path);
  if (found && (!kept || idOf(found) === kept.id)) return found;
  // A rotation was cut short between the store and the file.
  const next = kept && (await readKeyFile(nextFileOf(path)));
  if (next && idOf(next) === kept.id) {
    await takeNextFile(path);
    return next;
  }
  if (found) return found;
  if (kept)
    throw wrong(`is in ${path}, which is not there; without it the secrets that were sealed cannot be read`);
  if (!mayCreate) throw wrong(`is in ${path}, which is not there; make one: openssl rand -base64 32`);
  const made = randomBytes(keyBytes);
  try {
    await writeKeyFile(path, made);
  } catch (error) {
    // Another process was faster.
    const other =
      error instanceof Error && 'code' in error && error.code === 'EEXIST' && (await readKeyFile(path));
    if (!other) throw error;
    return other;
  }
  return made;
}

async function bytesOf(
  source: KeySource,
  kept: MasterKeyRow | undefined,
): Promise<{ readonly bytes: Buffer; readonly parameters: string }> {
  switch (source.kind) {
    case 'text': {
      const bytes = decodeKey(await source.read());
      if (!bytes) throw wrong('must be 32 bytes in base64 or hex; make one: openssl rand -base64 32');
      return { bytes, parameters: '{}' };
    }
    case 'passphrase': {
      const passphrase = await source.read();
      if (passphrase.length < minPassphraseLength)
        throw wrong(`must be a passphrase of ${minPassphraseLength} characters or more`);
      const parameters = scryptParameters(kept?.parameters);
      return { bytes: await stretch(passphrase, parameters), parameters: JSON.stringify(parameters) };
    }
    case 'transit': {
      const { ciphertext } = JSON.parse(kept?.parameters ?? '{}') as { ciphertext?: string };
      if (kept && ciphertext === undefined)
        throw wrong('is transit, but the secrets were sealed under another kind of key');
      if (ciphertext !== undefined)
        return { bytes: await source.unwrap(ciphertext), parameters: kept!.parameters };
      const bytes = randomBytes(keyBytes);
      return { bytes, parameters: JSON.stringify({ ciphertext: await source.wrap(bytes) }) };
    }
    default:
      return { bytes: await fromFile(source, kept), parameters: '{}' };
  }
}

/**
 * Reads the key, or makes the first one. Throws CONFIG_INVALID for one that is missing or weak, and for another one than
 * the secrets were sealed under.
 */
export async function loadMasterKey(source: KeySource, kept: MasterKeyRow | undefined): Promise<MasterKey> {
  const { bytes, parameters } = await bytesOf(source, kept);
  const id = idOf(bytes);
  if (kept && kept.id !== id)
    throw wrong(
      `is another key (${id}) than the secrets were sealed under (${kept.id}); give that one, or remove the secrets and set them again`,
    );
  return { id, bytes, parameters };
}

/** A key to rotate to: of a file it is a new one, which stands beside the former until `takeNextFile`. */
export async function loadNextKey(source: KeySource): Promise<MasterKey> {
  if (source.kind !== 'file') return await loadMasterKey(source, undefined);
  const path = nextFileOf(source.path);
  await rm(path, { force: true });
  const bytes = randomBytes(keyBytes);
  await writeKeyFile(path, bytes);
  return { id: idOf(bytes), bytes, parameters: '{}' };
}
