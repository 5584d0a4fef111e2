import { describe, expect, it } from 'vitest';
import { isAppError } from '../kernel/errors.ts';
import { nearestOf } from './nearest.ts';
import { parseServerEntry } from './parse-server-entry.ts';

describe('server entries', () => {
  it.each([
    [{}, 'needs exactly one of command, url and builtin'],
    [{ command: 'x', url: 'http://x' }, 'has command and url'],
    [{ command: 'x', headers: {} }, 'headers: goes with url only'],
    [{ url: 'http://x', args: [] }, 'args: goes with command only'],
    [{ url: 'file:///etc/passwd' }, 'must start with http:// or https://'],
    [{ type: 'stdio', url: 'http://x' }, 'stdio goes with command'],
    [{ command: 'x', category: 'databse' }, 'category'],
    [{ command: 'x', port: 0 }, 'port'],
    [null, 'expected object'],
  ])('refuse %j', (entry, words) => {
    try {
      parseServerEntry('x', entry);
      expect.unreachable();
    } catch (error) {
      expect(isAppError(error, 'CONFIG_INVALID')).toBe(true);
      expect(String(error)).toContain(words);
    }
  });
});

describe('nearestOf', () => {
  it.each([
    ['comand', 'command'],
    ['COMMAND', 'command'],
    ['agrs', 'args'],
    ['zzz', undefined],
    ['', undefined],
  ])('%s → %s', (word, nearest) => {
    expect(nearestOf(word, ['command', 'args', 'url', 'headers'])).toBe(nearest);
  });
});
