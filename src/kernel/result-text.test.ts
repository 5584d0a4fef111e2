import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMessage, responseText, textOf, withMember, withoutMember } from './result-text.ts';

const object = fc
  .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }))
  // As it is after a journey: JSON knows no -0.
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);
const id = fc.oneof(
  fc.maxSafeNat(),
  fc.integer(),
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.constant(null),
);

/** Messages as servers write them: any order of members, any white space, sometimes members more. */
const message = fc
  .record({
    id,
    result: object,
    more: fc.option(object),
    order: fc.nat(5),
    space: fc.constantFrom(0, 1, '\t'),
  })
  .map(({ id: given, result, more, order, space }) => {
    const members = [
      ['jsonrpc', '2.0'],
      ['id', given],
      ['result', result],
    ] as const;
    const [a, b, c] = [
      [0, 1, 2],
      [2, 0, 1],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 1, 0],
    ][order]!;
    const whole = Object.fromEntries([members[a!]!, members[b!]!, members[c!]!]);
    return JSON.stringify(more === null ? whole : { ...whole, ...more }, undefined, space);
  });

/** The same whatever the order of the envelope's members; that inside a result counts. */
function inOrder(value: unknown): string {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = isObject ? Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)) : value;
  return JSON.stringify(entries);
}

const start = '{"jsonrpc":"2.0","id":7,"result":';

describe('parseMessage', () => {
  it('says of any JSON what JSON.parse says of it, and its text says the same of its result', () => {
    fc.assert(
      fc.property(fc.oneof(message, fc.json()), (text) => {
        const parsed = parseMessage(text);
        const expected: unknown = JSON.parse(text);
        expect(inOrder(parsed.message)).toBe(inOrder(expected));
        if (parsed.resultText === undefined) return;
        const whole: unknown = JSON.parse(responseText('other', parsed.resultText));
        expect(inOrder(whole)).toBe(inOrder({ ...(expected as object), id: 'other' }));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what JSON.parse refuses, however it is broken', () => {
    const cuts = fc.tuple(message, fc.nat(), fc.nat(), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(cuts, ([text, at, length, insert]) => {
        const from = at % (text.length + 1);
        const broken = text.slice(0, from) + insert + text.slice(from + (length % 20));
        let expected: unknown;
        try {
          expected = JSON.parse(broken);
        } catch {
          expect(() => parseMessage(broken)).toThrow(SyntaxError);
          return;
        }
        expect(inOrder(parseMessage(broken).message)).toBe(inOrder(expected));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['id first', `${start}{"a":1}}`, '{"a":1}'],
    ['result first', '{"result":{"a":1},"jsonrpc":"2.0","id":7}', '{"a":1}'],
    ['a line end after it', `${start}{"a":1}}\r\n`, '{"a":1}'],
    ['white space inside', `${start}{ "a" :\n1 }}`, '{ "a" :\n1 }'],
    ['a result that quotes an answer', `${start}{"t":"},\\"jsonrpc\\":\\"2.0\\",\\"id\\":1}"}}`, undefined],
    ['escapes, a lone surrogate, NUL', `${start}{"\\u0061":"\\ud800\\u0000é€😀\\/"}}`, undefined],
    ['a key twice in the result', `${start}{"a":1,"a":2}}`, '{"a":1,"a":2}'],
    ['__proto__ in the result', `${start}{"__proto__":{"x":1}}}`, '{"__proto__":{"x":1}}'],
  ])('cuts out the text: %s', (_, text, expected) => {
    const { resultText } = parseMessage(text);
    expect(resultText).toBeDefined();
    if (expected !== undefined) expect(resultText).toBe(expected);
    expect(JSON.parse(resultText!)).toEqual((JSON.parse(text) as { result: unknown }).result);
  });

  it.each([
    ['a second result', `${start}{"a":1},"result":{"a":2}}`],
    ['a second id', `${start}{"a":1},"id":8}`],
    ['an error beside it', `${start}{},"error":{"code":1,"message":"m"}}`],
    ['a second result in front', '{"result":{"a":1},"result":{"a":2},"jsonrpc":"2.0","id":7}'],
    ['a result that is no object', `${start}[1]}`],
    ['a result that is text', `${start}"{}"}`],
    ['an id that is text', '{"jsonrpc":"2.0","id":"7","result":{}}'],
    ['an id beyond what a number holds', '{"jsonrpc":"2.0","id":12345678901234567890,"result":{}}'],
    ['a fractional id', '{"jsonrpc":"2.0","id":7.5,"result":{}}'],
    ['spaces between members', '{"jsonrpc": "2.0", "id": 7, "result": {}}'],
    ['an error', '{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no"}}'],
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/progress","params":{}}'],
    ['a batch', `[${start}{}}]`],
    ['no object', '7'],
  ])('parses as a whole: %s', (_, text) => {
    expect(parseMessage(text)).toEqual({ message: JSON.parse(text), resultText: undefined });
  });
});

describe('members at the front', () => {
  it('are put there and taken away', () => {
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1), (rest, space) => {
        fc.pre(!('resultType' in rest));
        const text = withMember(JSON.stringify(rest, undefined, space), 'resultType', 'complete');
        expect(JSON.parse(text)).toEqual({ resultType: 'complete', ...rest });
        const without = withoutMember(text, 'resultType', 'complete');
        if (Object.keys(rest).length === 0) expect(without).toBeUndefined();
        else expect(JSON.parse(without!)).toEqual(rest);
      }),
    );
  });

  it('are not taken from what has another one there', () => {
    expect(withoutMember('{"resultType":"input_required","a":1}', 'resultType', 'complete')).toBeUndefined();
  });
});

describe('textOf', () => {
  it('stands for the very object and for no copy', () => {
    const result = { a: 1 };
    expect(textOf(result, { result, text: '{"a":1}' })).toBe('{"a":1}');
    expect(textOf({ ...result }, { result, text: '{"a":1}' })).toBeUndefined();
    expect(textOf(result, undefined)).toBeUndefined();
    expect(textOf(undefined, undefined)).toBeUndefined();
  });
});
