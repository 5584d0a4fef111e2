/**
 * Bytes of one journal record: `GMj1`, u32 payload length, u32 CRC-32 of payload, payload.
 * Payload: u32 length of the head, head as JSON, then the file's bytes. Numbers are little-endian.
 */

import { crc32 } from 'node:zlib';
import type { WriteRecord } from '../write-record.ts';

/** First bytes of every segment file. */
export const segmentMagic = Buffer.from('git-memory-j1\r\n\0', 'latin1');
const recordMagic = Buffer.from('GMj1', 'latin1');
const headerBytes = 12;
const maxPayloadBytes = 64 * 1024 * 1024;

/** The record without its file; what is undefined is left out. */
function headOf(record: WriteRecord): string {
  const { seq, op, scope, key, path, removePaths, etag, atMs, actor, agent, requestId, replica, batchEnd } =
    record;
  const origin = { atMs, actor, agent, requestId, replica, batchEnd };
  return JSON.stringify({
    seq,
    op,
    scope,
    key,
    path,
    removePaths,
    etag,
    ...origin,
    hasContent: record.content !== null,
  });
}

/** UTF-8 takes three bytes at most for a UTF-16 code unit. */
const maxBytesPerUnit = 3;

/** Records as they stand in the journal, one after another. */
export function encodeRecords(records: readonly WriteRecord[]): Buffer {
  const heads = records.map(headOf);
  let bytes = 0;
  for (const [i, { content }] of records.entries()) {
    bytes += headerBytes + 4 + maxBytesPerUnit * (heads[i]?.length ?? 0) + (content?.length ?? 0);
  }
  const out = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const [i, { content }] of records.entries()) at = writeRecord(out, at, heads[i] ?? '', content);
  return out.subarray(0, at);
}

/** Writes one record at `at`; returns where it ends. */
function writeRecord(out: Buffer, at: number, head: string, content: Uint8Array | null): number {
  const payloadAt = at + headerBytes;
  const headLength = out.write(head, payloadAt + 4, 'utf8');
  const contentAt = payloadAt + 4 + headLength;
  if (content) out.set(content, contentAt);
  const end = contentAt + (content?.length ?? 0);
  recordMagic.copy(out, at);
  out.writeUInt32LE(end - payloadAt, at + 4);
  out.writeUInt32LE(headLength, payloadAt);
  out.writeUInt32LE(crc32(out.subarray(payloadAt, end)), at + 8);
  return end;
}

/** What a segment holds. `goodBytes` is where its last whole record ends. */
export interface SegmentContent {
  readonly records: WriteRecord[];
  readonly goodBytes: number;
  /** True when a record's mark stands behind the first bad byte: damage rather than a torn tail. */
  readonly damaged: boolean;
}

/**
 * Reads a segment up to its first bad record; a torn tail is what a crash leaves and is no error. An atomic
 * batch whose end is missing is part of the tail.
 */
export function decodeSegment(bytes: Buffer): SegmentContent {
  const records: WriteRecord[] = [];
  if (!bytes.subarray(0, segmentMagic.length).equals(segmentMagic)) {
    return { records, goodBytes: 0, damaged: bytes.includes(recordMagic) };
  }
  let at = segmentMagic.length;
  let batchStart = { at, count: 0 };
  for (;;) {
    const read = decodeRecord(bytes, at);
    if (!read) break;
    if (read.record.batchEnd !== records.at(-1)?.batchEnd) batchStart = { at, count: records.length };
    records.push(read.record);
    at = read.end;
  }
  const damaged = bytes.includes(recordMagic, at + 1);
  const last = records.at(-1);
  if (last?.batchEnd === undefined || last.seq >= last.batchEnd) return { records, goodBytes: at, damaged };
  return { records: records.slice(0, batchStart.count), goodBytes: batchStart.at, damaged };
}

function decodeRecord(bytes: Buffer, at: number): { record: WriteRecord; end: number } | undefined {
  if (at + headerBytes + 4 > bytes.length) return undefined;
  if (!bytes.subarray(at, at + 4).equals(recordMagic)) return undefined;
  const payloadBytes = bytes.readUInt32LE(at + 4);
  const end = at + headerBytes + payloadBytes;
  if (payloadBytes > maxPayloadBytes || payloadBytes < 4 || end > bytes.length) return undefined;
  const payload = bytes.subarray(at + headerBytes, end);
  if (crc32(payload) !== bytes.readUInt32LE(at + 8)) return undefined;
  const contentAt = 4 + payload.readUInt32LE(0);
  const head = JSON.parse(payload.toString('utf8', 4, contentAt)) as WriteRecord & { hasContent: boolean };
  const { hasContent, ...rest } = head;
  return { record: { ...rest, content: hasContent ? payload.subarray(contentAt) : null }, end };
}
