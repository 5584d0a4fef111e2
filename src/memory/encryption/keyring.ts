/** The keys that a memory was given, and which scopes they are for. Plain data, so that threads can hand it on. */

import { randomBytes, scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import { settingsOf } from '../../kernel/memory/scope-settings.ts';
import { writePrivately } from './private-file.ts';
import { keyBytes, keyId, type SealKey } from './seal.ts';

/** Keys of scopes and of subjects; may be cloned into a thread. */
export interface Keyring {
  readonly keys: readonly (SealKey & { readonly name: string })[];
  /** By pattern of scopes: names of keys, the one for new values first; none for scopes in clear. */
  readonly scopes: Readonly<Record<string, readonly string[]>>;
  readonly subjects: readonly SealKey[];
}

/** A memory without encryption. */
export const emptyKeyring: Keyring = { keys: [], scopes: {}, subjects: [] };

/** Kept in the data folder; without it a passphrase gives other keys. It is no secret. */
export const saltFile = 'keys.salt';
const saltBytes = 32;
const minPassphraseLength = 12;
const scryptCost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };

/**
 * Makes the keyring of a data folder from secrets by name and key names by pattern of scopes. A secret is 32
 * bytes in base64 or hex, or else a passphrase. Throws CONFIG_INVALID for a passphrase under 12 characters
 * and for a scope that names a key which there is not.
 */
export function openKeyring(
  dataDir: string,
  secrets: Readonly<Record<string, string>>,
  scopes: Readonly<Record<string, readonly string[]>>,
): Keyring {
  for (const [pattern, names] of Object.entries(scopes)) {
    const unknown = names.find((name) => !Object.hasOwn(secrets, name));
    if (unknown !== undefined)
      throw invalid(`memory.scopes.${pattern}.encrypt`, `names no key of memory.keys: ${unknown}`);
  }
  const keys = Object.entries(secrets).map(([name, text]) => {
    const secret = decodeKey(text) ?? stretch(dataDir, name, text);
    return { name, kid: keyId(secret), secret };
  });
  return { keys, scopes, subjects: [] };
}

/** The key that new values of a scope are sealed with; undefined for a scope in clear. */
export function activeKey(keyring: Keyring, scope: string): SealKey | undefined {
  const name = settingsOf(keyring.scopes, scope)?.[0];
  return name === undefined ? undefined : keyring.keys.find((key) => key.name === name);
}

/** 32 bytes from hex or base64 (also the URL form); undefined for any other text. */
function decodeKey(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return undefined;
  const bytes = Buffer.from(trimmed, 'base64');
  return bytes.length === keyBytes ? bytes : undefined;
}

function stretch(dataDir: string, name: string, passphrase: string): Buffer {
  if (passphrase.length < minPassphraseLength) {
    const problem = `must be 32 bytes in base64 or hex, or a passphrase of ${minPassphraseLength} characters and more`;
    throw invalid(`memory.keys.${name}`, problem);
  }
  return scryptSync(passphrase.normalize('NFC'), saltOf(dataDir), keyBytes, scryptCost);
}

function saltOf(dataDir: string): Buffer {
  const text = readSalt(dataDir);
  if (text === undefined) {
    const salt = randomBytes(saltBytes);
    writePrivately(join(dataDir, saltFile), `${salt.toString('base64')}\n`);
    return salt;
  }
  const salt = Buffer.from(text, 'base64');
  if (salt.length === saltBytes) return salt;
  throw invalid('memory.keys', `the salt in ${saltFile} is damaged; bring it back from a backup`);
}

/** The salt of a data folder in base64; undefined where no passphrase was ever used. */
export function readSalt(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, saltFile), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function invalid(path: string, problem: string): AppError {
  return new AppError('CONFIG_INVALID', { file: 'config', problem: `${path} ${problem}`, path });
}
