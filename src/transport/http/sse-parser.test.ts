import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseParser, type SseEvent } from './sse-parser.ts';

function parse(chunks: readonly Uint8Array[], maxChars = 1_000_000) {
  const events: SseEvent[] = [];
  let tooLong = 0;
  const parser = createSseParser({
    maxChars,
    onEvent: (event) => void events.push(event),
    onTooLong: () => {
      tooLong += 1;
    },
  });
  for (const chunk of chunks) parser.push(chunk);
  return { events, tooLong, ...parser.position() };
}

const parseText = (text: string, maxChars?: number) => parse([Buffer.from(text)], maxChars);

/** Cuts bytes at the given places, which may fall into the middle of a character or between CR and LF. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...sorted].map((start, index) => bytes.subarray(start, sorted[index] ?? bytes.length));
}

const lineArbitrary = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n\u{feff}]/gu, ''));
const eventArbitrary = fc.record({
  type: fc.constantFrom('message', 'other'),
  data: fc.array(lineArbitrary, { minLength: 1, maxLength: 4 }),
  comment: fc.option(lineArbitrary),
});

describe('createSseParser', () => {
  it('reads back what was written, with any line end and however it is cut', () => {
    const stream = fc.record({
      events: fc.array(eventArbitrary, { maxLength: 5 }),
      lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
      hasMark: fc.boolean(),
      places: fc.array(fc.nat(), { maxLength: 20 }),
    });
    fc.assert(
      fc.property(stream, ({ events, lineEnd, hasMark, places }) => {
        const text = events.map(({ type, data, comment }) => {
          const lines = data.map((line) => `data: ${line}`);
          if (comment !== null) lines.push(`:${comment}`);
          return [`event: ${type}`, ...lines, '', ''].join(lineEnd);
        });
        const bytes = Buffer.from((hasMark ? '\u{feff}' : '') + text.join(''));
        const expected = events.map(({ type, data }) => ({ type, data: data.join('\n') }));
        expect(parse(cut(bytes, places)).events).toEqual(expected);
      }),
    );
  });

  it('never throws, and gives the same whether it comes whole or byte by byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const whole = parse([bytes]);
        expect(parse([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(whole);
      }),
    );
  });

  it('follows the corner cases of the standard', () => {
    expect(parseText('data\n\ndata:\n\ndata:  x\n\n').events.map((event) => event.data)).toEqual([
      '',
      '',
      ' x',
    ]);
    expect(parseText('unknown: 1\nevent: e\n\n').events).toEqual([]);
    expect(parseText('data: unfinished\n').events).toEqual([]);
    expect(parseText('id: a\0b\nid: 7\ndata\n\nid\n').lastEventId).toBe('');
    expect(parseText('id: 7\n\n').lastEventId).toBe('7');
    expect(parseText('retry: 250\nretry: soon\n').retryMs).toBe(250);
    expect(parseText('retry: 99999999999999\n').retryMs).toBe(300_000);
  });

  it('stops at an event that is too long, whether of one line or of many', () => {
    expect(parseText(`data: ${'x'.repeat(100)}\n\n`, 50)).toMatchObject({ events: [], tooLong: 1 });
    expect(parseText(`${'data: xxxxxxxxx\n'.repeat(10)}\n`, 50)).toMatchObject({ events: [], tooLong: 1 });
    const many = 'data: xxxxxxxxx\n\n'.repeat(10);
    expect(parseText(many, 50)).toMatchObject({ tooLong: 0 });
    expect(
      parse([Buffer.from('data: '), Buffer.from('x'.repeat(60)), Buffer.from('\n\ndata: y\n\n')], 50),
    ).toMatchObject({
      events: [],
      tooLong: 1,
    });
  });
});
