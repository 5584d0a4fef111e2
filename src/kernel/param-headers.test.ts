import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHeaderValue } from './param-headers.ts';

function decode(header: string): string {
  const match = /^=\?base64\?(.*)\?=$/s.exec(header.trim());
  return match ? Buffer.from(match[1]!, 'base64').toString('utf8') : header.trim();
}

describe('encodeHeaderValue', () => {
  it('leaves plain names readable', () => {
    expect(['get_weather', 'a b', 'file:///x?y=1'].map(encodeHeaderValue)).toEqual([
      'get_weather',
      'a b',
      'file:///x?y=1',
    ]);
  });

  it.each(['', ' a', 'a ', 'ไทย', 'a\r\nx-evil: 1', '\t', '=?base64?eA==?=', '😀'])('encodes %j', (value) => {
    const encoded = encodeHeaderValue(value);
    expect(encoded).toMatch(/^=\?base64\?[A-Za-z0-9+/=]*\?=$/);
    expect(decode(encoded)).toBe(value);
  });

  it('is reversible and safe for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const encoded = encodeHeaderValue(value);
        expect(encoded).toMatch(/^[\t\x20-\x7e]*$/);
        expect(decode(encoded)).toBe(value);
      }),
    );
  });
});
