/** Builds a pack (version 2) and its index in memory; a tree may be a delta of its last version in the pack. */

import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type SharedEnds, encodeBaseDistance, encodeDelta } from './pack-delta.ts';
import { deflateFast } from './stored-deflate.ts';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

const typeNumbers: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };

export interface PackBuilder {
  /**
   * Adds an object once and returns its id, 20 bytes, which a caller may know already; it becomes a delta of
   * `base` if that is in the pack.
   */
  add(
    type: ObjectType,
    content: Uint8Array,
    known?: { readonly id?: Buffer; readonly base?: DeltaBase | undefined },
  ): Buffer;
  readonly count: number;
  /** Bytes so far. */
  readonly bytes: number;
  /** The finished files and the pack's checksum in hex, which is its name. */
  finish(): { name: string; pack: Buffer; index: Buffer };
}

/** The old version of an object. */
export interface DeltaBase extends SharedEnds {
  readonly id: Buffer;
}

interface Packed {
  readonly id: Buffer;
  readonly offset: number;
  readonly crc: number;
  /** Deltas between this and a whole object. */
  readonly depth: number;
}

const offsetDelta = 6;
const maxDepth = 40;
const minDeltaBytes = 512;

/**
 * An empty pack. The caller keeps it under 2 GiB, so that offsets fit the short form. A hasty one leaves
 * compressing to the folding of packs.
 */
export function createPackBuilder(isHasty = false): PackBuilder {
  const chunks: Buffer[] = [];
  const packed = new Map<string, Packed>();
  let offset = 12;

  function deltaEntry(content: Uint8Array, base: DeltaBase | undefined) {
    const from = base && packed.get(base.id.toString('latin1'));
    if (!base || !from || from.depth >= maxDepth || content.length < minDeltaBytes) return undefined;
    const delta = encodeDelta(base, Buffer.from(content.buffer, content.byteOffset, content.length));
    if (!delta) return undefined;
    const head = [entryHeader(offsetDelta, delta.length), encodeBaseDistance(offset - from.offset)];
    return { entry: Buffer.concat([...head, deflateFast(delta, isHasty)]), depth: from.depth + 1 };
  }

  return {
    add(type, content, { base, id = objectId(type, content) } = {}) {
      const name = id.toString('latin1');
      if (packed.has(name)) return id;
      const { entry, depth } = deltaEntry(content, base) ?? wholeEntry(type, content, isHasty);
      packed.set(name, { id, offset, crc: crc32(entry), depth });
      chunks.push(entry);
      offset += entry.length;
      return id;
    },
    get count() {
      return packed.size;
    },
    get bytes() {
      return offset;
    },
    finish() {
      const header = Buffer.alloc(12);
      header.write('PACK', 0, 'latin1');
      header.writeUInt32BE(2, 4);
      header.writeUInt32BE(packed.size, 8);
      const body = Buffer.concat([header, ...chunks]);
      const checksum = hash('sha1', body, 'buffer');
      const sorted = [...packed.values()].sort((a, b) => Buffer.compare(a.id, b.id));
      return {
        name: checksum.toString('hex'),
        pack: Buffer.concat([body, checksum]),
        index: buildIndex(sorted, checksum),
      };
    },
  };
}

function wholeEntry(type: ObjectType, content: Uint8Array, isHasty: boolean) {
  const head = entryHeader(typeNumbers[type], content.length);
  return { entry: Buffer.concat([head, deflateFast(content, isHasty)]), depth: 0 };
}

/** Git's id of an object: SHA-1 over `<type> <size>\0` and the content. */
export function objectId(type: ObjectType, content: Uint8Array): Buffer {
  return hash('sha1', Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]), 'buffer');
}

/** Type and size as a pack has them: 4 bits of size, then 7 a byte (gitformat-pack). */
function entryHeader(type: number, size: number): Buffer {
  const out: number[] = [];
  let rest = Math.floor(size / 16);
  let byte = (type << 4) | (size & 15);
  while (rest > 0) {
    out.push(byte | 0x80);
    byte = rest & 0x7f;
    rest = Math.floor(rest / 128);
  }
  out.push(byte);
  return Buffer.from(out);
}

/** Index version 2: fan-out, ids, CRCs, offsets, both checksums (gitformat-pack). */
function buildIndex(sorted: readonly Packed[], packChecksum: Buffer): Buffer {
  const count = sorted.length;
  const out = Buffer.alloc(8 + 1024 + count * 28 + 40);
  out.writeUInt32BE(0xff744f63, 0);
  out.writeUInt32BE(2, 4);
  const ids = 8 + 1024;
  const crcs = ids + count * 20;
  const offsets = crcs + count * 4;
  const fan = new Uint32Array(256);
  for (const [i, one] of sorted.entries()) {
    one.id.copy(out, ids + i * 20);
    out.writeUInt32BE(one.crc, crcs + i * 4);
    out.writeUInt32BE(one.offset, offsets + i * 4);
    fan[one.id[0] ?? 0] = i + 1;
  }
  for (let i = 0, last = 0; i < 256; i++) {
    last = Math.max(last, fan[i] ?? 0);
    out.writeUInt32BE(last, 8 + i * 4);
  }
  packChecksum.copy(out, offsets + count * 4);
  hash('sha1', out.subarray(0, -20), 'buffer').copy(out, out.length - 20);
  return out;
}
