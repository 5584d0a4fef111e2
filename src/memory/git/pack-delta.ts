/** Deltas for packs (gitformat-pack): what is alike at both ends is copied from the base, the middle is new. */

const maxCopyBytes = 0xff_ff_ff;
const maxInsertBytes = 127;

/** What two versions of an object share at their beginning and end, in bytes; the ends do not overlap. */
export interface SharedEnds {
  /** Size of the old version. */
  readonly size: number;
  readonly head: number;
  readonly tail: number;
}

/** The delta that makes `content` out of its old version, undefined when it would save less than half. */
export function encodeDelta({ size, head, tail }: SharedEnds, content: Buffer): Buffer | undefined {
  const middle = content.subarray(head, content.length - tail);
  if (middle.length > content.length / 2) return undefined;
  const parts = [encodeSize(size), encodeSize(content.length)];
  parts.push(...copies(0, head));
  for (let at = 0; at < middle.length; at += maxInsertBytes) {
    const piece = middle.subarray(at, at + maxInsertBytes);
    parts.push(Buffer.from([piece.length]), piece);
  }
  parts.push(...copies(size - tail, tail));
  return Buffer.concat(parts);
}

/** 7 bits a byte, least first. */
function encodeSize(size: number): Buffer {
  const out: number[] = [];
  let rest = size;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest & 127) | 128);
  out.push(rest);
  return Buffer.from(out);
}

/** Instructions that copy from the base: a flag for each byte of offset and size that is not zero. */
function copies(offset: number, size: number): Buffer[] {
  const out: Buffer[] = [];
  for (let done = 0; done < size; done += maxCopyBytes) {
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32LE(offset + done, 0);
    numbers.writeUInt32LE(Math.min(size - done, maxCopyBytes), 4);
    const instruction = [0x80];
    for (const [bit, byte] of [...numbers.subarray(0, 7)].entries()) {
      if (byte === 0) continue;
      instruction[0] = (instruction[0] ?? 0) | (1 << bit);
      instruction.push(byte);
    }
    out.push(Buffer.from(instruction));
  }
  return out;
}

/** How far back the base begins, as an offset delta says it (big-endian, 7 bits a byte, plus one a byte). */
export function encodeBaseDistance(distance: number): Buffer {
  const out = [distance & 127];
  let rest = Math.floor(distance / 128);
  while (rest > 0) {
    rest -= 1;
    out.unshift((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from(out);
}
