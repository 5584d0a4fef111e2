import { expect, test } from 'vitest';
import { settingsOf } from './scope-settings.ts';

test.each([
  ['server:a-1', 'one'],
  ['server:a-2', 'a'],
  ['server:b', 'servers'],
  ['shared', 'all'],
])('the closest pattern counts for %s', (scope, expected) => {
  const patterns = { '*': 'all', 'server:*': 'servers', 'server:a-*': 'a', 'server:a-1': 'one' };
  expect(settingsOf(patterns, scope)).toBe(expected);
});

test('no pattern, no settings', () => {
  expect(settingsOf({ 'server:*': 1 }, 'shared')).toBeUndefined();
});
