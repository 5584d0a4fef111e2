import { describe, expect, it } from 'vitest';
import { createCustomRule } from './custom-rule.ts';
import { problemOf } from './bounded-pattern.ts';

describe('patterns of operators', () => {
  it.each([
    'TICKET-\\d{4,8}',
    '\\b(?:alpha|beta)-[a-z]{1,20}\\b',
    'ลับ(?:มาก)?ที่สุด',
    '[\\]x-]{2}\\p{L}{1,30}',
    '(?<kind>cat|dog)s?',
    'a{3}\\{x\\}',
  ])('takes %s', (pattern) => {
    expect(problemOf(pattern)).toBeUndefined();
  });

  it.each([
    ['(a+)+$', /without an upper bound/],
    ['a*b', /without an upper bound/],
    ['a{2,}b', /without an upper bound/],
    ['(?:ab){1,20}', /repeats a group/],
    ['(a|a){30}', /repeats a group/],
    ['(a)\\1', /refers back/],
    ['(?=a)b', /looks around/],
    ['a{0,100}a{0,100}b', /ways from one place/],
    ['(?:a?b?c?d?e?f?g?h?i?j?k?l?m?n?o)', /ways from one place/],
    ['x{0,5}', /every text/],
    ['(', /Invalid|Unterminated/],
    ['', /empty/],
  ])('refuses %s', (pattern, problem) => {
    expect(problemOf(pattern)).toMatch(problem);
  });

  it('names the rule in the error', () => {
    const settings = {
      pattern: '(a+)+',
      ignoreCase: false,
      action: 'block' as const,
      servers: [],
      tools: [],
      exceptServers: [],
      exceptTools: [],
      ignore: [],
    };
    expect(() => createCustomRule('slow', settings)).toThrow(/guardrails\.custom\.slow\.pattern/);
  });
});
