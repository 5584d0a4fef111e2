import { expect, it } from 'vitest';
import { lowerPriority } from './pool-options.ts';

it.each([
  ['high', 'low', 'low'],
  ['low', 'high', 'low'],
  ['normal', 'normal', 'normal'],
  ['normal', undefined, 'normal'],
  ['low', 'normal', 'low'],
] as const)('a ceiling of %s makes %s %s', (given, wished, least) => {
  expect(lowerPriority(given, wished)).toBe(least);
});
