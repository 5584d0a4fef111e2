/**
 * Files of a backup under AES-256-GCM, in chunks that are each authenticated, in order, and known to be the last or
 * not (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár). Each file has its own key, drawn by
 * HKDF (RFC 5869) from the given key and a random salt, so that no nonce is ever used twice.
 *
 * File: `GMenc1\r\n`, u32 length of the head, head as JSON, then chunks of 64 KiB, each with a tag of 16 bytes.
 */

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from 'node:crypto';
import { AppError } from '../../kernel/errors.ts';

const magic = Buffer.from('GMenc1\r\n', 'latin1');
const chunkBytes = 64 * 1024;
const tagBytes = 16;
const maxHeadBytes = 4096;

/** Cost of scrypt for a passphrase (RFC 7914): 128 MiB and some tenths of a second. */
const scryptCost = { N: 2 ** 17, r: 8, p: 1 };

interface Head {
  readonly kdf: 'none' | 'scrypt';
  /** Base64, 32 bytes: for this file. */
  readonly fileSalt: string;
  /** Of scrypt: base64 salt and cost. */
  readonly scrypt?: { readonly salt: string; readonly N: number; readonly r: number; readonly p: number };
}

export interface BackupKey {
  /** The stream under the key; `name` is bound to it, so that files cannot be exchanged. */
  encrypt(content: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Uint8Array>;
  /** Throws BACKUP_DAMAGED, before the first altered byte is handed on. */
  decrypt(content: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Uint8Array>;
}

/** A key of 32 bytes as base64 or hex, else a passphrase of at least 12 characters. Throws INVALID_INPUT. */
export function createBackupKey(text: string): BackupKey {
  const raw = parseRawKey(text);
  const stretched = new Map<string, Promise<Buffer>>();
  const ownScrypt = { salt: randomBytes(16).toString('base64'), ...scryptCost };
  if (!raw && text.length < 12) {
    const problem = 'must be 32 bytes in base64 or hex, or a passphrase of at least 12 characters';
    throw new AppError('INVALID_INPUT', { field: 'the encryption key', problem });
  }

  /** The same for all files of a backup: stretched once. */
  function stretch(cost: NonNullable<Head['scrypt']>): Promise<Buffer> {
    const id = JSON.stringify(cost);
    let key = stretched.get(id);
    if (!key) {
      key = new Promise<Buffer>((resolve, reject) => {
        const { salt, N, r, p } = cost;
        const options = { N, r, p, maxmem: 256 * N * r };
        scrypt(text.normalize('NFC'), Buffer.from(salt, 'base64'), 32, options, (error, made) =>
          error ? reject(error) : resolve(made),
        );
      });
      stretched.set(id, key);
    }
    return key;
  }

  async function fileKey(head: Head, name: string): Promise<Buffer> {
    const main = head.scrypt ? await stretch(head.scrypt) : raw;
    if (!main) throw damaged(name, 'is encrypted with a key of 32 bytes, not with a passphrase');
    return Buffer.from(
      hkdfSync('sha256', main, Buffer.from(head.fileSalt, 'base64'), `git-memory backup ${name}`, 32),
    );
  }

  return {
    async *encrypt(content, name) {
      const fileSalt = randomBytes(32).toString('base64');
      const head: Head = raw ? { kdf: 'none', fileSalt } : { kdf: 'scrypt', fileSalt, scrypt: ownScrypt };
      const key = await fileKey(head, name);
      const start = encodeHead(head);
      yield start;
      let count = 0;
      for await (const { chunk, isLast } of inChunks(content, chunkBytes)) {
        const cipher = createCipheriv('aes-256-gcm', key, nonceOf(count, isLast));
        cipher.setAAD(start);
        yield Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
        count += 1;
      }
    },
    async *decrypt(content, name) {
      const { head, start, rest } = await readHead(content, name);
      const key = await fileKey(head, name);
      let count = 0;
      for await (const { chunk, isLast } of inChunks(rest, chunkBytes + tagBytes)) {
        if (chunk.length < tagBytes) throw damaged(name, 'is cut off');
        const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(count, isLast));
        decipher.setAAD(start);
        decipher.setAuthTag(chunk.subarray(chunk.length - tagBytes));
        const text = decipher.update(chunk.subarray(0, chunk.length - tagBytes));
        try {
          decipher.final();
        } catch {
          throw damaged(name, 'is altered, cut off, or under another key');
        }
        yield text;
        count += 1;
      }
    },
  };
}

function parseRawKey(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return Buffer.from(trimmed, 'base64');
  return undefined;
}

function encodeHead(head: Head): Buffer {
  const json = Buffer.from(JSON.stringify(head), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([magic, length, json]);
}

/** The head, its bytes, and the stream behind it. */
async function readHead(content: AsyncIterable<Uint8Array>, name: string) {
  const iterator = content[Symbol.asyncIterator]();
  let bytes: Buffer = Buffer.alloc(0);
  const need = async (length: number) => {
    while (bytes.length < length) {
      const next = await iterator.next();
      if (next.done) throw damaged(name, 'is cut off');
      bytes = Buffer.concat([bytes, next.value]);
    }
  };
  await need(magic.length + 4);
  if (!bytes.subarray(0, magic.length).equals(magic)) throw damaged(name, 'is not encrypted by us');
  const headBytes = bytes.readUInt32LE(magic.length);
  if (headBytes > maxHeadBytes) throw damaged(name, 'has a head that makes no sense');
  const end = magic.length + 4 + headBytes;
  await need(end);
  const start = Buffer.from(bytes.subarray(0, end));
  const head = parseHead(start.toString('utf8', magic.length + 4), name);
  async function* rest(): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(end);
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return { head, start, rest: rest() };
}

/** A forged cost must not eat all memory. */
function parseHead(json: string, name: string): Head {
  let head: Head;
  try {
    head = JSON.parse(json) as Head;
  } catch {
    throw damaged(name, 'has a head that makes no sense');
  }
  const { scrypt: cost } = head;
  const isSane =
    !cost || (cost.N <= 2 ** 20 && cost.r <= 16 && cost.p <= 4 && cost.N >= 2 && cost.r * cost.p >= 1);
  if (!isSane || typeof head.fileSalt !== 'string') throw damaged(name, 'has a head that makes no sense');
  return head;
}

/** The counter, and whether it is the last chunk: a stream that was cut at a chunk does not pass for whole. */
function nonceOf(count: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(count, 5, 6);
  nonce.writeUInt8(isLast ? 1 : 0, 11);
  return nonce;
}

/** Chunks of a length; the last may be shorter, and is empty only when all is. */
async function* inChunks(content: AsyncIterable<Uint8Array>, length: number) {
  let parts: Uint8Array[] = [];
  let have = 0;
  for await (const part of content) {
    parts.push(part);
    have += part.length;
    // One byte more must be there: only then is the chunk known not to be the last.
    if (have <= length) continue;
    const all = Buffer.concat(parts);
    let at = 0;
    for (; have - at > length; at += length) yield { chunk: all.subarray(at, at + length), isLast: false };
    parts = [all.subarray(at)];
    have -= at;
  }
  yield { chunk: Buffer.concat(parts), isLast: true };
}

function damaged(id: string, problem: string): AppError {
  return new AppError('BACKUP_DAMAGED', { id, problem });
}
