import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fitsLuhn, isCardNumber, isIban, isThaiId } from './check-digits.ts';
import { tokenChecksum } from './secret-formats.ts';

it.each([
  [isThaiId, '1234567890121', '1234567890123'],
  [isCardNumber, '4111111111111111', '4111111111111112'],
  [isIban, 'GB82WEST12345698765432', 'GB82WEST12345698765433'],
])('%o tells a good number from another', (check, good, bad) => {
  expect([check(good), check(bad), check('')]).toEqual([true, false, false]);
});

const digit = fc.integer({ min: 0, max: 9 });

it.each([
  ['Luhn', fitsLuhn, fc.array(digit, { minLength: 15, maxLength: 15 })],
  ['the Thai id', isThaiId, fc.tuple(fc.constantFrom(1, 2, 3), ...Array.from({ length: 11 }, () => digit))],
] as const)('each body of %s has exactly one last digit', (_, check, bodies) => {
  fc.assert(
    fc.property(bodies as fc.Arbitrary<number[]>, (body) => {
      fc.pre(new Set(body).size > 1);
      const last = Array.from({ length: 10 }, (_, n) => check([...body, n].join('')));
      expect(last.filter(Boolean)).toHaveLength(1);
    }),
  );
});

it('makes the checksum that GitHub shows in its documents', () => {
  expect(tokenChecksum('zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ')).toBe('0mLq17');
});
