import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AuditItem } from '../../contract/rest/audit-routes.ts';
import { cefHeader, cefValue, csvField, encodeItem, headOf } from './formats.ts';

const item: AuditItem = {
  seq: 7,
  tenant: 'default',
  at: '2026-01-31T12:00:00.000Z',
  latencyMs: 1.25,
  way: 'mcp',
  principal: 'key:1',
  role: 'agent',
  action: 'tools/call',
  server: 'one',
  target: 'a|b=c\\d\nที่',
  digest: 'sha256:00',
  outcome: 'refused',
  code: 'FORBIDDEN',
  requestId: null,
  config: 'sha256:01',
  definition: null,
  details: { from: '"x",y' },
  hash: 'ff',
};

/** Half of a surrogate pair, control characters and what the formats escape included. */
const anyUnit = fc.oneof(
  fc.constantFrom('"', ',', '\n', '\r', '=', '|', '\\', 'ก'),
  fc.nat(0xffff).map((code) => String.fromCharCode(code)),
);

/** Reads one record of RFC 4180. */
function readCsv(text: string): string[] {
  const fields: string[] = [];
  for (const [, quoted, plain] of `,${text}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^",]*))/gs))
    fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
  return fields;
}

it('writes JSON Lines', () => {
  expect(headOf('jsonl')).toBe('');
  expect(JSON.parse(encodeItem(item, 'jsonl'))).toEqual(item);
});

it('writes CSV that comes back as it was, and no formula', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: anyUnit }), { minLength: 1 }), (texts) => {
      const safe = texts.map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text));
      expect(readCsv(texts.map(csvField).join(','))).toEqual(safe);
    }),
  );
  expect(readCsv(encodeItem(item, 'csv').slice(0, -2))[8]).toBe(item.target);
  expect(headOf('csv')).toMatch(/^seq,at,.*,hash\r\n$/);
});

it('writes CEF with bars, equals signs, backslashes and line ends escaped', () => {
  const line = encodeItem({ ...item, action: 'a|b\\c' }, 'cef');
  expect(line).toMatch(/^CEF:0\|[^|]+\|[^|]+\|[^|]+\|a\\\|b\\\\c\|a\\\|b\\\\c refused\|7\|rt=1769860800000 /);
  expect(line).toContain(' request=a|b\\=c\\\\d\\nที่ cs1Label=tenant');
  expect(line).not.toContain('requestId');
  expect(line.indexOf('\n')).toBe(line.length - 1);
});

it('keeps any text inside its CEF field', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyUnit }), (text) => {
      expect(cefValue(text)).not.toMatch(/[\r\n]|(?<!\\)(?:\\\\)*=/);
      expect(cefHeader(text)).not.toMatch(/[\r\n]|(?<!\\)(?:\\\\)*\|/);
      const back = cefValue(text).replaceAll(
        /\\(.)/g,
        (_, sign: string) => ({ n: '\n', r: '\r' })[sign] ?? sign,
      );
      expect(back).toBe(text);
    }),
  );
});
