/** zlib's form (RFC 1950) without compression: where setting zlib up costs more than it saves, or time is short. */

import { deflateSync } from 'node:zlib';

/** Pieces up to so many bytes are stored as they are, always. */
const maxSmallBytes = 256;
/** A stored block has a length of 16 bits. */
const maxStoredBytes = 0xffff;
const adlerModulus = 65_521;
/** So many bytes keep both sums of Adler-32 in 31 bits. */
const adlerChunk = 3800;

/** A zlib stream of the bytes; small ones are stored, and with `isHasty` all up to 64 KiB. */
export function deflateFast(bytes: Uint8Array, isHasty = false): Buffer {
  if (bytes.length > (isHasty ? maxStoredBytes : maxSmallBytes)) return deflateSync(bytes, { level: 1 });
  const out = Buffer.allocUnsafe(bytes.length + 11);
  // Deflate with a 32 KB window, fastest; then one last stored block with its length and the complement.
  out.writeUInt16BE(0x7801, 0);
  out.writeUInt8(1, 2);
  out.writeUInt16LE(bytes.length, 3);
  out.writeUInt16LE(~bytes.length & 0xffff, 5);
  out.set(bytes, 7);
  out.writeUInt32BE(adler32(bytes), 7 + bytes.length);
  return out;
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + adlerChunk);
    for (; at < end; at++) {
      a += bytes[at] as number;
      b += a;
    }
    a %= adlerModulus;
    b %= adlerModulus;
  }
  return ((b << 16) | a) >>> 0;
}
