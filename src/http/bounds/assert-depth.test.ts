import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertDepth } from './assert-depth.ts';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('refuses exactly what is nested deeper, whatever its strings hold', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('[[[[', '\\"[{', '"', '\\\\', 'ภาษาไทย[{'),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 9 }, text, fc.integer(), tie('array'), tie('object')),
    array: fc.array(tie('value'), { maxLength: 3 }),
    object: fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  }));
  fc.assert(
    fc.property(value, fc.integer({ min: 1, max: 9 }), (any, max) => {
      const check = () => assertDepth(JSON.stringify(any), max);
      if (depthOf(any) > max) expect(check).toThrow(`nested deeper than ${max}`);
      else expect(check).not.toThrow();
    }),
  );
});

test.each(['"', '"\\', '[[[["', ']'.repeat(99), '"\\"'.repeat(99)])('lets the parser speak of %j', (text) => {
  expect(() => assertDepth(text, 8)).not.toThrow();
});
