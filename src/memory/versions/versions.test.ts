import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffJson } from './json-diff.ts';
import { parseAt } from './parse-at.ts';
import { diffText } from './text-diff.ts';

describe('parseAt', () => {
  const ms = (iso: string) => Date.parse(iso);

  it('takes the end of the span that a date names', () => {
    expect(parseAt('2026-11-21T10:00:00.123Z')).toEqual([{ atMs: ms('2026-11-21T10:00:00.123Z') }]);
    expect(parseAt('2026-11-21T10:00:00Z')).toEqual([{ atMs: ms('2026-11-21T10:00:00.999Z') }]);
    expect(parseAt('2026-11-21T10:00:00+07:00')).toEqual([{ atMs: ms('2026-11-21T03:00:00.999Z') }]);
    expect(parseAt('2026-11-21 10:00')).toEqual([{ atMs: ms('2026-11-21T10:00:59.999Z') }]);
    expect(parseAt('2026-11-21')).toEqual([{ atMs: ms('2026-11-21T23:59:59.999Z') }]);
    expect(parseAt('2024-02')).toEqual([{ atMs: ms('2024-02-29T23:59:59.999Z') }]);
  });

  it('reads four digits as a commit first, then as a year', () => {
    expect(parseAt('2026')).toEqual([{ commitPrefix: '2026' }, { atMs: ms('2026-12-31T23:59:59.999Z') }]);
    expect(parseAt('DEADbeef')).toEqual([{ commitPrefix: 'deadbeef' }]);
  });

  it.each(['yesterday', '2026-13-01', '2026-02-30', 'HEAD~1', '--all', '2026-11-21T25:00Z', 'abc'])(
    'refuses %s',
    (at) => {
      expect(parseAt(at)).toEqual([]);
    },
  );
});

describe('diffJson', () => {
  it('gives a row a field, with RFC 6901 pointers', () => {
    const before = { same: 1, 'a/b~c': 1, gone: true, list: [1, 2, 3], deep: { x: { y: 1 } } };
    const after = { same: 1, 'a/b~c': 2, list: [1, 5], deep: { x: { y: 1, z: null } }, '': 'empty' };
    expect(diffJson(before, after)).toEqual([
      { op: 'replace', path: '/a~1b~0c', before: 1, after: 2 },
      { op: 'remove', path: '/gone', before: true },
      { op: 'replace', path: '/list/1', before: 2, after: 5 },
      { op: 'remove', path: '/list/2', before: 3 },
      { op: 'add', path: '/deep/x/z', after: null },
      { op: 'add', path: '/', after: 'empty' },
    ]);
    expect(diffJson([1], { 0: 1 })).toEqual([{ op: 'replace', path: '', before: [1], after: { 0: 1 } }]);
  });

  it('finds nothing in equal values and something in others', () => {
    fc.assert(
      fc.property(fc.json(), fc.json(), (a, b) => {
        const [before, after] = [JSON.parse(a) as unknown, JSON.parse(b) as unknown];
        expect(diffJson(before, before)).toEqual([]);
        const isEqual = JSON.stringify(sorted(before)) === JSON.stringify(sorted(after));
        expect(diffJson(before, after).length === 0).toBe(isEqual);
      }),
    );
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { fields: fields.map(([name, field]) => [name, sorted(field)]) };
}

describe('diffText', () => {
  it('looks as diff -u', () => {
    const lines = Array.from({ length: 20 }, (_, i) => `line ${i}\n`);
    const after = lines.with(2, 'changed\n').with(17, 'other\n').join('');
    expect(diffText(lines.join(''), after, 'k')).toBe(
      `--- a/k\n+++ b/k\n@@ -1,6 +1,6 @@\n line 0\n line 1\n-line 2\n+changed\n line 3\n line 4\n line 5\n` +
        `@@ -15,6 +15,6 @@\n line 14\n line 15\n line 16\n-line 17\n+other\n line 18\n line 19\n`,
    );
    expect(diffText('', 'a', 'k')).toBe(
      '--- a/k\n+++ b/k\n@@ -0,0 +1,1 @@\n+a\n\\ No newline at end of file\n',
    );
  });

  it('makes patches that git applies', () => {
    const dir = mkdtempSync(join(tmpdir(), 'text-diff-'));
    const line = fc.constantFrom('a', 'b', 'c', '', '-- x', '+y');
    const text = fc.tuple(fc.array(line, { maxLength: 30 }), fc.boolean()).map(([lines, ends]) =>
      lines
        .map((part) => `${part}\n`)
        .join('')
        .slice(0, ends ? undefined : -1),
    );
    const file = join(dir, 'k');
    try {
      fc.assert(
        fc.property(text, text, (before, after) => {
          fc.pre(before !== '' && after !== '' && before !== after);
          writeFileSync(file, before);
          execFileSync('git', ['apply', '-'], {
            cwd: dir,
            input: diffText(before, after, 'k'),
            stdio: 'pipe',
          });
          expect(readFileSync(file, 'utf8')).toBe(after);
        }),
        { numRuns: 60 },
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('survives texts that have nothing in common', () => {
    const before = Array.from({ length: 3000 }, (_, i) => `a${i}\n`).join('');
    const after = Array.from({ length: 3000 }, (_, i) => `b${i}\n`).join('');
    expect(diffText(before, after, 'k').split('\n')).toHaveLength(6004);
  });
});
