/**
 * A secret as it is kept: sealed by AES-256-GCM under a data key of its own, which is sealed under the master key. What
 * says whose it is and which version is authenticated with both, so that a row cannot be passed off as another one.
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { SealedSecret, SecretPlace } from '../store/secrets.ts';

/** Bytes of a master key, and of a data key. */
export const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;
/** Names the form, so that another one can follow. */
const prefix = '1.';

/** One version of a secret. */
export interface SealedPlace extends SecretPlace {
  readonly version: number;
}

function boundTo(kind: 'key' | 'value', { tenant, owner, name, version }: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify([kind, tenant, owner, name, version]), 'utf8');
}

function seal(key: Buffer, bound: Buffer, plain: Buffer): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(bound);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return prefix + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

function open(key: Buffer, bound: Buffer, text: string): Buffer {
  const bytes = Buffer.from(text.startsWith(prefix) ? text.slice(prefix.length) : '', 'base64url');
  if (bytes.length < ivBytes + tagBytes) throw new Error('not a sealed text');
  const options = { authTagLength: tagBytes };
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), options)
    .setAAD(bound)
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]);
}

/** Seals a text under a new data key. */
export function sealSecret(masterKey: Buffer, place: SealedPlace, text: string): SealedSecret {
  const dataKey = randomBytes(keyBytes);
  const wrapped = seal(masterKey, boundTo('key', place), dataKey);
  return { wrapped, sealed: seal(dataKey, boundTo('value', place), Buffer.from(text, 'utf8')) };
}

/** The text. Throws when key, place or bytes are not those that it was sealed with. */
export function openSecret(masterKey: Buffer, place: SealedPlace, { wrapped, sealed }: SealedSecret): string {
  const dataKey = open(masterKey, boundTo('key', place), wrapped);
  return open(dataKey, boundTo('value', place), sealed).toString('utf8');
}

/** The data key under another master key; the value stays as it is. Throws as above. */
export function rewrapKey(from: Buffer, to: Buffer, place: SealedPlace, wrapped: string): string {
  const bound = boundTo('key', place);
  return seal(to, bound, open(from, bound, wrapped));
}
