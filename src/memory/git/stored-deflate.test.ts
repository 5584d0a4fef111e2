import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deflateFast } from './stored-deflate.ts';

test('inflates to what it was made of', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600, size: 'max' }), fc.boolean(), (bytes, isHasty) => {
      expect(inflateSync(deflateFast(bytes, isHasty))).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each([0, 256, 3800, 3801, 65_535, 65_536, 200_000])('takes %d bytes of the highest value', (size) => {
  const bytes = Buffer.alloc(size, 255);
  for (const isHasty of [false, true])
    expect(inflateSync(deflateFast(bytes, isHasty)).equals(bytes)).toBe(true);
});
