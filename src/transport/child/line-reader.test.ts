import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineReader } from './line-reader.ts';

/** Cuts bytes at the given places, which may fall into the middle of a character. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((start, index) => bytes.subarray(start, sorted[index] ?? bytes.length));
}

function read(chunks: readonly Buffer[], maxBytes = 1_000_000) {
  const lines: string[] = [];
  const tooLong: number[] = [];
  const reader = createLineReader({
    maxBytes,
    onLine: (line) => void lines.push(line),
    onTooLong: (bytes) => void tooLong.push(bytes),
  });
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { lines, tooLong };
}

describe('createLineReader', () => {
  it('gives the same lines wherever the chunks are cut', () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
    fc.assert(
      fc.property(
        fc.array(line),
        fc.constantFrom('\n', '\r\n'),
        fc.array(fc.nat()),
        (lines, lineEnd, places) => {
          const bytes = Buffer.from(lines.map((text) => text + lineEnd).join(''));
          expect(read(cut(bytes, places)).lines).toEqual(lines);
        },
      ),
    );
  });

  it('hands over an unfinished line at the end', () => {
    expect(read([Buffer.from('a\nb')]).lines).toEqual(['a', 'b']);
    expect(read([Buffer.from('')]).lines).toEqual([]);
  });

  it('drops a line that is too long and goes on with the next', () => {
    const result = read(
      ['aaaa', 'aaaa', 'aaaa\nok\n'].map((text) => Buffer.from(text)),
      5,
    );
    expect(result).toEqual({ lines: ['ok'], tooLong: [8] });
  });

  it('takes a line of exactly the limit', () => {
    expect(read([Buffer.from('aaaaa\n')], 5)).toEqual({ lines: ['aaaaa'], tooLong: [] });
  });
});
