import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../kernel/errors.ts';
import { parseJsonc, stripJsonComments } from './jsonc.ts';

describe('stripJsonComments', () => {
  it('leaves any JSON as it is', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(stripJsonComments(text)).toBe(text);
      }),
    );
  });

  it('keeps every other character in its place', () => {
    const text = '{ // a "b"\r\n "c": [1, 2, ], /* , */ "d": "// no", }';
    const bare = stripJsonComments(text);
    expect(bare).toHaveLength(text.length);
    expect(bare.indexOf('"d"')).toBe(text.indexOf('"d"'));
    expect(JSON.parse(bare)).toEqual({ c: [1, 2], d: '// no' });
  });
});

describe('parseJsonc', () => {
  it('takes nothing, comments alone and a byte order mark', () => {
    expect(parseJsonc('', 'f')).toEqual({});
    expect(parseJsonc('// nothing yet\n', 'f')).toEqual({});
    expect(parseJsonc('\uFEFF{"a": 1}', 'f')).toEqual({ a: 1 });
  });

  it('refuses broken JSON without quoting it', () => {
    try {
      parseJsonc('{"token": "hunter2" "x"}', 'f.json');
      expect.unreachable();
    } catch (error) {
      expect(isAppError(error, 'CONFIG_INVALID')).toBe(true);
      expect(String(error)).toContain('f.json');
      expect(String(error)).not.toContain('hunter2');
    }
  });
});
