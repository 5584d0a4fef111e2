import { describe, expect, it } from 'vitest';
import { argumentFaults } from './check-arguments.ts';

const schema = {
  type: 'object',
  properties: {
    path: { type: 'string', pattern: '^(a+)+$', format: 'uri' },
    depth: { type: 'integer', minimum: 1 },
    mode: { enum: ['fast', 'slow'] },
    pattern: { type: 'string' },
  },
  required: ['path'],
  additionalProperties: false,
};

describe('argumentFaults', () => {
  it('names each field that does not fit', () => {
    const faults = argumentFaults(schema, { depth: 0, mode: 'odd', pattern: 7, extra: 1 });
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(
      expect.arrayContaining(['path', 'depth', 'mode', 'pattern', 'Unrecognized key']),
    );
    expect(argumentFaults(schema, { path: 'x', depth: 2, mode: 'fast', pattern: 'p' })).toEqual([]);
  });

  it('leaves expressions and formats to the server', () => {
    expect(argumentFaults(schema, { path: `${'a'.repeat(40)}!` })).toEqual([]);
    const open = { type: 'object', patternProperties: { '^x-': {} }, additionalProperties: false };
    expect(argumentFaults(open, { 'x-one': 1 })).toEqual([]);
  });

  it('lets pass what it cannot check', () => {
    expect(argumentFaults({ type: 'object', if: {}, else: {} }, { a: 1 })).toEqual([]);
    expect(argumentFaults({ type: 'object', properties: { a: { $ref: '#/nowhere' } } }, { a: 1 })).toEqual(
      [],
    );
    expect(argumentFaults(undefined, { a: 1 })).toEqual([]);
  });
});
