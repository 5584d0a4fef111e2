/** The little of DNS messages (RFC 1035) that a question for SRV records (RFC 2782) needs. Bytes come from strangers. */

import type { SrvAnswer, SrvTarget } from './dns-source.ts';

const typeSrv = 33;
const classIn = 1;
const headerBytes = 12;
/** A name of 255 bytes has fewer labels; more jumps are a loop. */
const maxLabels = 128;

/** What a name server answered. */
export interface DnsReply extends SrvAnswer {
  /** 0 for no error, 3 for a name that does not exist. */
  readonly responseCode: number;
  /** It did not fit: ask again over TCP. */
  readonly isTruncated: boolean;
}

/** A question for the SRV records of `name`, recursion desired. Throws RangeError for a name that is none. */
export function encodeSrvQuestion(id: number, name: string): Buffer {
  const labels = name.replace(/\.$/, '').split('.');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label, 'latin1');
    if (bytes.length === 0 || bytes.length > 63) throw new RangeError(`${name} is no DNS name`);
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  return Buffer.concat([header, ...parts, Buffer.from([0, 0, typeSrv, 0, classIn])]);
}

/** The name at an offset, with the offset after it; pointers may lead back into the message. */
function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  for (let steps = 0; steps < maxLabels; steps += 1) {
    const length = message.readUInt8(at);
    if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 };
    if (length >= 0xc0) {
      end ??= at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
    } else {
      if (at + 1 + length > message.length) throw new RangeError('a label reaches over the end');
      labels.push(message.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
  throw new RangeError('a name has no end');
}

function readTarget(message: Buffer, at: number): SrvTarget {
  return {
    priority: message.readUInt16BE(at),
    weight: message.readUInt16BE(at + 2),
    port: message.readUInt16BE(at + 4),
    host: readName(message, at + 6).name,
  };
}

/** The answer to the question; undefined for a message that answers another one. Throws RangeError for a broken one. */
export function decodeSrvReply(message: Buffer, question: Buffer): DnsReply | undefined {
  if (message.length < headerBytes || message.readUInt16BE(0) !== question.readUInt16BE(0)) return undefined;
  const flags = message.readUInt16BE(2);
  const asked = question.subarray(headerBytes);
  const echoed = message.subarray(headerBytes, headerBytes + asked.length);
  const isReply = (flags & 0x8000) !== 0 && message.readUInt16BE(4) === 1;
  if (!isReply || echoed.toString('latin1').toLowerCase() !== asked.toString('latin1').toLowerCase())
    return undefined;
  const targets: SrvTarget[] = [];
  let ttlSeconds = Infinity;
  let at = headerBytes + asked.length;
  for (let left = message.readUInt16BE(6); left > 0; left -= 1) {
    const { end } = readName(message, at);
    const type = message.readUInt16BE(end);
    const ttl = message.readUInt32BE(end + 4);
    const dataBytes = message.readUInt16BE(end + 8);
    if (type === typeSrv) {
      targets.push(readTarget(message, end + 10));
      ttlSeconds = Math.min(ttlSeconds, ttl);
    }
    at = end + 10 + dataBytes;
  }
  return {
    responseCode: flags & 0xf,
    isTruncated: (flags & 0x0200) !== 0,
    targets,
    ...(targets.length > 0 && { ttlSeconds }),
  };
}
