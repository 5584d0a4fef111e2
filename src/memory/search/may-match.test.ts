import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMayMatch } from './may-match.ts';
import { parseQuery } from './query.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

test.each([
  ['decisions', 'the decision was late'],
  ['cafe', 'Café au lait'],
  ['ประชุม', 'นัดประชุมวันจันทร์'],
  ['running', 'he runs; RUNNING'],
])('%s may be in: %s', (word, text) => {
  expect(createMayMatch([word])('key', bytes(text))).not.toBe(0);
});

test('looks into the key too, and says no where nothing is', () => {
  expect(createMayMatch(['apollo'])('projects/apollo', bytes('x'))).not.toBe(0);
  expect(createMayMatch(['apollo'])('projects/gemini', bytes('x'))).toBe(0);
});

test('never misses a value that holds a word of the query', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (query, around) => {
      const words = parseQuery(query)?.words.map(({ word }) => word) ?? [];
      fc.pre(words.length > 0);
      const text = `${around} ${query} ${around}`;
      expect(createMayMatch(words)('key', bytes(text.normalize('NFC')))).not.toBe(0);
    }),
  );
});
