/** The line format of Git's wire protocol (gitprotocol-common, gitprotocol-pack), both ways. */

import { AppError } from '../../kernel/errors.ts';

/** The packet that ends a list. */
export const flushPacket = Buffer.from('0000');

/** Longest payload of one packet. */
const maxPayloadBytes = 65_516;

/** One packet around a text or bytes; what is too long for one is refused with INTERNAL. */
export function encodePacket(payload: string | Uint8Array): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
  if (bytes.length > maxPayloadBytes) throw new AppError('INTERNAL');
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** Bands of side-band-64k: 1 is the answer, 2 is for the person at the terminal. */
export type Band = 1 | 2;

/** Bytes on a band, in as many packets as they need. */
export function encodeBand(band: Band, payload: string | Uint8Array): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
  const packets: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += maxPayloadBytes - 1) {
    const part = bytes.subarray(at, at + maxPayloadBytes - 1);
    packets.push(encodePacket(Buffer.concat([Buffer.from([band]), part])));
  }
  return Buffer.concat(packets);
}

/** Takes a stream apart: packets first, then what follows them. */
export interface PacketReader {
  /** The payload of the next packet; null for a flush, undefined at the end. Throws INVALID_REQUEST. */
  next(): Promise<Buffer | null | undefined>;
  /** All that comes after the packets that were read. */
  rest(): AsyncGenerator<Buffer>;
}

/** Reads from a stream of bytes, no more than it needs. */
export function createPacketReader(source: AsyncIterable<Uint8Array>): PacketReader {
  const chunks = source[Symbol.asyncIterator]();
  let have: Buffer = Buffer.alloc(0);

  /** True when so many bytes are there; false at the end of the stream. */
  async function fill(bytes: number): Promise<boolean> {
    while (have.length < bytes) {
      const chunk = await chunks.next();
      if (chunk.done === true) return false;
      have = have.length === 0 ? Buffer.from(chunk.value) : Buffer.concat([have, chunk.value]);
    }
    return true;
  }

  return {
    async next() {
      if (!(await fill(4))) {
        if (have.length > 0) throw broken('ends inside a packet');
        return undefined;
      }
      const digits = have.toString('latin1', 0, 4);
      if (!/^[0-9a-f]{4}$/i.test(digits)) throw broken('has a packet without a length');
      const length = Number.parseInt(digits, 16);
      if (length === 0) {
        have = have.subarray(4);
        return null;
      }
      if (length < 4) throw broken('has a packet that does not belong here');
      if (!(await fill(length))) throw broken('ends inside a packet');
      const payload = have.subarray(4, length);
      have = have.subarray(length);
      return payload;
    },
    async *rest() {
      if (have.length > 0) yield have;
      have = Buffer.alloc(0);
      for (let chunk = await chunks.next(); chunk.done !== true; chunk = await chunks.next()) {
        yield Buffer.from(chunk.value);
      }
    },
  };
}

function broken(problem: string): AppError {
  return new AppError('INVALID_REQUEST', { problem: `the request of git ${problem}` });
}
