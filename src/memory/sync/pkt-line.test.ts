import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../kernel/errors.ts';
import { createPacketReader, encodeBand, encodePacket, flushPacket } from './pkt-line.ts';

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : Math.max(1, sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

describe('packets', () => {
  it('come back however the stream is cut, and so does what follows', async () => {
    const payload = fc.uint8Array({ maxLength: 200 });
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.array(payload), payload, sizes, async (payloads, rest, cuts) => {
        const packets = payloads.map((one) => encodePacket(one));
        const bytes = Buffer.concat([...packets, flushPacket, rest]);
        const reader = createPacketReader(inChunks(bytes, cuts));
        for (const one of payloads) expect(await reader.next()).toEqual(Buffer.from(one));
        expect(await reader.next()).toBeNull();
        expect(await readAll(reader.rest())).toEqual(Buffer.from(rest));
      }),
    );
  });

  it('are an end, an answer or a refusal for any bytes, never anything else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        const reader = createPacketReader(inChunks(Buffer.from(bytes), [7]));
        const first = await reader.next().catch((error: unknown) => error);
        const isAnswer = first === undefined || first === null || Buffer.isBuffer(first);
        expect(isAnswer || isAppError(first, 'INVALID_REQUEST')).toBe(true);
      }),
    );
  });

  it('on a band are cut to what one packet takes', async () => {
    const bytes = Buffer.alloc(200_000, 'x');
    const reader = createPacketReader(inChunks(encodeBand(2, bytes), []));
    const parts: Buffer[] = [];
    for (let part = await reader.next(); part; part = await reader.next()) {
      expect(part[0]).toBe(2);
      expect(part.length).toBeLessThanOrEqual(65_516);
      parts.push(part.subarray(1));
    }
    expect(Buffer.concat(parts)).toEqual(bytes);
  });
});
