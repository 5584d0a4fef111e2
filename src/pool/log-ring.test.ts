import { describe, expect, it } from 'vitest';
import { createLogRing } from './log-ring.ts';

function setUp(capacity = 3) {
  let nowMs = 0;
  const ring = createLogRing(() => (nowMs += 1000), capacity);
  const write = (...lines: string[]) => {
    for (const line of lines) ring.push(line);
  };
  const texts = ({ lines }: ReturnType<typeof ring.tail>) => lines.map(({ line }) => line);
  return { ring, write, texts };
}

describe('log ring', () => {
  it('shows the last lines, and no more than it keeps', () => {
    const { ring, write, texts } = setUp();
    expect(texts(ring.tail(5))).toEqual([]);
    write('a', 'b', 'c', 'd', 'e');
    expect(texts(ring.tail(2))).toEqual(['d', 'e']);
    expect(texts(ring.tail(5))).toEqual(['c', 'd', 'e']);
  });

  it('is read on from any position, page by page', () => {
    const { ring, write, texts } = setUp(10);
    const start = ring.tail(0).next;
    write('a', 'b', 'c');
    const page = ring.read(start, 2);
    expect([texts(page), page.reset]).toEqual([['a', 'b'], false]);
    expect(texts(ring.read(page.next, 2))).toEqual(['c']);
    expect(texts(ring.read(page.lines[0]!.position, 5))).toEqual(['b', 'c']);
    expect(texts(ring.read(ring.tail(1).next, 5))).toEqual([]);
  });

  it('says when lines were lost, and when the position is of another ring', () => {
    const { ring, write, texts } = setUp();
    write('a');
    const { next } = ring.tail(1);
    write('b', 'c', 'd', 'e', 'f', 'g', 'h');
    const page = ring.read(next, 10);
    expect([texts(page), page.reset]).toEqual([['f', 'g', 'h'], true]);
    for (const foreign of ['00000000-2', 'nonsense', '', next.replace(/-.*/, '-999')])
      expect(ring.read(foreign, 10)).toMatchObject({ reset: true, lines: { length: 3 } });
  });

  it('is read from a time on', () => {
    const { ring, write, texts } = setUp();
    write('a', 'b', 'c');
    expect(texts(ring.read(2000, 10))).toEqual(['b', 'c']);
    expect(texts(ring.read(9000, 10))).toEqual([]);
  });

  it('tells of each line, and keeps a bounded number', () => {
    const { ring, write, texts } = setUp(100);
    let heard = 0;
    const off = ring.onLine(() => (heard += 1));
    write('a', 'b');
    off();
    for (let n = 0; n < 10_000; n += 1) ring.push('x'.repeat(5000));
    expect(heard).toBe(2);
    const { lines } = ring.tail(10_000);
    expect([lines.length, lines[0]!.line.length]).toEqual([100, 4000]);
    expect(texts(ring.read(lines[98]!.position, 10))).toHaveLength(1);
  });
});
