/**
 * Authenticated encryption of one file: AES-256-GCM whose nonce is made from key, place and content, so that
 * the same content at the same place is the same bytes, on every replica that has the key.
 */

import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

/** A key with the id that files name it by. */
export interface SealKey {
  readonly kid: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/** What a sealed file holds; binary fields are base64. */
export interface Sealed {
  /** `sealAlgorithm`; a file of another version may have another one, which cannot be opened. */
  readonly alg: string;
  readonly data: string;
  readonly kid: string;
  readonly nonce: string;
  readonly tag: string;
}

/** Name of the construction: AES-256-GCM, nonce by HMAC-SHA-256 over place and content. */
const sealAlgorithm = 'A256GCM-HS256';
export const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** Seals and opens under one key. */
export interface Sealer {
  readonly kid: string;
  /** `place` is bound to the content: it must be the same when it is opened. */
  seal(place: readonly (string | null)[], plain: Uint8Array): Sealed;
  /** The content; undefined when anything of it was changed, or it is from another place. */
  open(place: readonly (string | null)[], sealed: Sealed): Buffer | undefined;
}

/** The public id of a key, from the key itself: replicas that share a key agree on it, whatever they call it. */
export function keyId(secret: Uint8Array): string {
  return createHmac('sha256', secret).update('git-memory key id 1').digest('hex').slice(0, 16);
}

/** A sealer for a key; the two keys for encryption and nonces are derived from it (HKDF, RFC 5869). */
export function createSealer({ kid, secret }: SealKey): Sealer {
  const derived = Buffer.from(
    hkdfSync('sha256', secret, new Uint8Array(0), 'git-memory seal 1', 2 * keyBytes),
  );
  const cipherKey = derived.subarray(0, keyBytes);
  const nonceKey = derived.subarray(keyBytes);
  const boundOf = (place: readonly (string | null)[]) =>
    Buffer.from(JSON.stringify([sealAlgorithm, kid, ...place]), 'utf8');

  return {
    kid,
    seal(place, plain) {
      const bound = boundOf(place);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(bound.length));
      const mac = createHmac('sha256', nonceKey).update(length).update(bound).update(plain).digest();
      const nonce = mac.subarray(0, nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', cipherKey, nonce, { authTagLength: tagBytes });
      cipher.setAAD(bound);
      const data = Buffer.concat([cipher.update(plain), cipher.final()]);
      return {
        alg: sealAlgorithm,
        data: data.toString('base64'),
        kid,
        nonce: nonce.toString('base64'),
        tag: cipher.getAuthTag().toString('base64'),
      };
    },
    open(place, sealed) {
      const nonce = Buffer.from(sealed.nonce, 'base64');
      const tag = Buffer.from(sealed.tag, 'base64');
      const isOurs = sealed.alg === sealAlgorithm && nonce.length === nonceBytes && tag.length === tagBytes;
      if (!isOurs) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', cipherKey, nonce, { authTagLength: tagBytes });
      decipher.setAAD(boundOf(place));
      decipher.setAuthTag(tag);
      try {
        return Buffer.concat([decipher.update(Buffer.from(sealed.data, 'base64')), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}

/** True for the parts of a sealed file, whatever key and algorithm it names. */
export function isSealed(value: unknown): value is Sealed {
  if (typeof value !== 'object' || value === null) return false;
  const { alg, data, kid, nonce, tag } = value as Record<string, unknown>;
  return [alg, data, kid, nonce, tag].every((part) => typeof part === 'string');
}
