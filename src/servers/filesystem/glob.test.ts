import { matchesGlob } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGlob } from './glob.ts';
import { unifiedDiff } from './unified-diff.ts';

describe('compileGlob', () => {
  it.each([
    ['*.ts', 'a.ts', true],
    ['*.ts', 'x/y/a.ts', true],
    ['*.ts', 'a.tsx', false],
    ['/*.ts', 'x/a.ts', false],
    ['src/**', 'src/a/b', true],
    ['src/**/b', 'src/b', true],
    ['**/b/**/d', 'a/b/c/d', true],
    ['**', 'anything/at/all', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['{a,b{c,d}}.md', 'bd.md', true],
    ['{a,b}.md', 'c.md', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['ก*', 'กา', true],
    ['caf\u00e9', 'cafe\u0301', true],
    ['😀?', '😀😀', true],
    ['*.{ts,tsx}', 'a.tsx', true],
    ['', 'a', undefined],
  ])('%j and %j: %s', (pattern, path, fits) => {
    if (fits === undefined) expect(() => compileGlob(pattern)).toThrow(/pattern/);
    else expect(compileGlob(pattern)(path)).toBe(fits);
  });

  it('agrees with the matcher of Node on plain patterns', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', 'ab', '*a');
    const segment = fc.oneof(
      {
        weight: 5,
        arbitrary: fc
          .array(part, { minLength: 1, maxLength: 3 })
          .map((parts) => parts.join('').replaceAll(/\*+/g, '*')),
      },
      { weight: 1, arbitrary: fc.constant('**') },
    );
    const name = fc
      .array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 })
      .map((letters) => letters.join(''));
    const pattern = fc.array(segment, { minLength: 2, maxLength: 4 }).map((segments) => segments.join('/'));
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    fc.assert(
      // A trailing ** fits the folder itself in one of the two only.
      fc.property(
        pattern.filter((text) => !text.endsWith('**')),
        path,
        (glob, file) => {
          expect(compileGlob(glob)(file)).toBe(matchesGlob(file, glob));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes hostile patterns without exponential time', () => {
    expect(compileGlob(`${'*a'.repeat(100)}b`)('a'.repeat(5000))).toBe(false);
    expect(compileGlob(`${'**/a/'.repeat(50)}b`)('a/'.repeat(2000))).toBe(false);
    expect(() => compileGlob('{a,b}'.repeat(20))).toThrow(/alternatives/);
  });
});

/** Applies a unified diff to lines, as `patch` does. */
function applyPatch(before: string, patch: string): string {
  const source = before === '' ? [] : before.split(/(?<=\n)/);
  const out: string[] = [];
  let at = 0;
  for (const line of patch.split('\n').slice(2, -1)) {
    const header = /^@@ -(\d+),(\d+)/.exec(line);
    if (header) {
      const start = Number(header[1]) - (header[2] === '0' ? 0 : 1);
      out.push(...source.slice(at, start));
      at = start;
    } else if (line.startsWith('\\')) out.push(out.pop()!.slice(0, -1));
    else {
      if (!line.startsWith('+')) at++;
      if (!line.startsWith('-')) out.push(`${line.slice(1)}\n`);
    }
  }
  return [...out, ...source.slice(at)].join('');
}

describe('unifiedDiff', () => {
  it('can be applied to get the other text', () => {
    const text = fc
      .array(fc.constantFrom('a\n', 'b\n', 'c\n', 'ก\n', '\n'), { maxLength: 40 })
      .map((lines) => lines.join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const patch = unifiedDiff(before, after, 'f');
        expect(patch === '' ? before : applyPatch(before, patch)).toBe(after);
      }),
      { numRuns: 500 },
    );
  });

  it('shows the fewest lines, with context, and the missing line end', () => {
    const before = Array.from({ length: 20 }, (_, index) => `${index}`).join('\n');
    const after = before.replace('\n10\n', '\nten\n').replace('19', '19\n');
    expect(unifiedDiff(before, after, 'f').split('\n').slice(2)).toEqual([
      '@@ -8,7 +8,7 @@',
      ' 7',
      ' 8',
      ' 9',
      '-10',
      '+ten',
      ' 11',
      ' 12',
      ' 13',
      '@@ -17,4 +17,4 @@',
      ' 16',
      ' 17',
      ' 18',
      '-19',
      '\\ No newline at end of file',
      '+19',
      '',
    ]);
    expect(unifiedDiff('', 'a\n', 'f')).toBe('--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n');
  });

  it('stays fast for texts with nothing in common', () => {
    const lines = (prefix: string) =>
      Array.from({ length: 20_000 }, (_, index) => `${prefix}${index}\n`).join('');
    expect(unifiedDiff(lines('a'), lines('b'), 'f').split('\n')).toHaveLength(40_004);
  });
});
