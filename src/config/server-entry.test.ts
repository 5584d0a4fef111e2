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
    [{ command: 'x', replicas: 65 }, 'replicas'],
    [{ command: 'x', replicas: 'many' }, 'replicas: must be a number from 1 to 64, or {min, max}'],
    [{ command: 'x', replicas: { min: 3, max: 2 } }, 'replicas.max: must not be less than min'],
    [{ command: 'x', replicas: { most: 2, max: 2 } }, 'unknown key "most"'],
    [{ command: 'x', queue: { maxWaiting: -1 } }, 'queue.maxWaiting'],
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
