import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../kernel/errors.ts';
import { isSelected, parseSelector, type Selectable, type Term, type Value } from './selector.ts';

const server: Selectable = {
  id: 'sqlite-3104',
  name: 'sqlite',
  alias: 'sqlite',
  category: 'database',
  tag: ['red', 'blue'],
  state: 'ready',
  source: 'built-in',
  transport: 'in-process',
  port: '3104',
  lazy: 'false',
};

const selects = (text: string, one = server): boolean => isSelected(parseSelector(text), one);

/** Terms of free fields, in any spelling that the grammar allows. */
const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter((text) => /^[^\s,()=!"]+$/.test(text) && text === text.trim());
const value = fc.oneof(
  word.map((text): Value => ({ text, isPattern: true })),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text): Value => ({ text, isPattern: false })),
);
const term = fc.record({
  field: fc.constantFrom('id', 'name', 'alias', 'category', 'tag', 'port'),
  isNegated: fc.boolean(),
  values: fc.array(value, { minLength: 1, maxLength: 3 }),
}) as fc.Arbitrary<Term>;

const written = ({ text, isPattern }: Value): string => (isPattern ? text : JSON.stringify(text));

function writeTerm({ field, isNegated, values }: Term, space: string): string {
  if (values.length === 1) return `${field}${space}${isNegated ? '!=' : '='}${space}${written(values[0]!)}`;
  const list = values.map(written).join(`${space},${space}`);
  return `${field} ${isNegated ? 'not in' : 'in'}${space}(${space}${list}${space})`;
}

describe('a selector', () => {
  it('holds when all of its terms do', () => {
    expect(selects('category=database')).toBe(true);
    expect(selects('category=database,state=unhealthy')).toBe(false);
    expect(selects(' id = sqlite-* , port in (3104, 3105) , state not in (stopped,unhealthy) ')).toBe(true);
    expect(selects('name=sq?ite,lazy=false,transport=in-process,source=built-in')).toBe(true);
    expect(selects('id=*')).toBe(true);
  });

  it('has a tag when one of the tags is it', () => {
    expect([selects('tag=blue'), selects('tag=green'), selects('tag!=green')]).toEqual([true, false, true]);
    expect(selects('tag!=red')).toBe(false);
    expect(selects('tag!=*', { ...server, tag: [] })).toBe(true);
  });

  it('takes quoted text as it stands', () => {
    expect(selects('name="sq*"')).toBe(false);
    expect(selects('name="sq*"', { ...server, name: 'sq*' })).toBe(true);
    expect(selects('tag="a, b"', { ...server, tag: ['a, b'] })).toBe(true);
  });

  it.each([
    ['', 'ends where a field is expected'],
    ['category', 'ends where =, !=, in or not in is expected'],
    ['category=', 'ends where a value is expected'],
    ['category==x', 'has "=" where a value is expected'],
    ['a=1', 'has no field "a"; there are id, name'],
    ['state=unhealty', 'has state "unhealty"; there are stopped, starting'],
    ['lazy in (true,maybe)', 'has lazy "maybe"; there are true, false'],
    ['id in (a', 'ends where , or ) is expected'],
    ['id in a', 'has "a" where ( is expected'],
    ['id=a id=b', 'has "id" where , and another term is expected'],
    ['id="a', 'has """ where a value is expected'],
    ['constructor=a', 'has no field "constructor"'],
  ])('%j is refused: %s', (text, problem) => {
    expect(() => parseSelector(text)).toThrow(problem);
  });

  it('is read as it was written', () => {
    fc.assert(
      fc.property(
        fc.array(term, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('', ' ', '\t'),
        (terms, space) => {
          const text = terms.map((one) => writeTerm(one, space)).join(`${space},${space}`);
          expect(parseSelector(text)).toEqual(terms);
        },
      ),
    );
  });

  it('is read or refused, whatever it is', () => {
    const piece = fc.constantFrom('id', 'state', '=', '!=', '!', 'in', 'not', '(', ')', ',', '"', '\\', 'a');
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((all) => all.join(' ')),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          expect(parseSelector(given).length).toBeGreaterThan(0);
        } catch (error) {
          expect(isAppError(error, 'INVALID_INPUT')).toBe(true);
        }
      }),
    );
  });

  it('matches globs as a regular expression would', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', '.');
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 }),
        (pattern, name) => {
          const meanings: Record<string, string> = { '*': '.*', '?': '.', '.': '\\.' };
          const source = pattern.map((one) => meanings[one] ?? one).join('');
          const expected = new RegExp(`^${source}$`, 's').test(name);
          expect(selects(`name=${pattern.join('')}`, { ...server, name })).toBe(expected);
        },
      ),
    );
  });

  it('does not take long over a pattern made to', () => {
    const name = 'a'.repeat(5000);
    expect(selects(`name=${'*a'.repeat(500)}b`, { ...server, name })).toBe(false);
  });
});
