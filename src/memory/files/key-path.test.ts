import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identifyFile, keyPath, needsStoredKey, normalizeKey } from './key-path.ts';

const segment = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  fc.constantFrom(
    'con',
    'CON',
    'Aux.txt',
    'lpt1',
    '.git',
    '.GIT',
    'git~1',
    'a.md',
    'b.json',
    'a.',
    '.a',
    '~',
    '%2e',
  ),
  fc.constantFrom('โครงการ', 'é', 'e\u0301', 'A', 'a', 'com¹', 'nul.', ' ', 'x'.repeat(300)),
);
const key = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('/'))
  .filter((text) => text.length <= 1024 && isAccepted(text));
const scope = fc.constantFrom(
  'shared',
  'coordinator',
  'category:database',
  'category:con',
  'server:server-4100',
  'server:a.b',
);
const kind = fc.constantFrom('json' as const, 'text' as const);

function isAccepted(text: string): boolean {
  try {
    normalizeKey(text);
    return true;
  } catch {
    return false;
  }
}

describe('keyPath', () => {
  it('keeps plain keys readable, in the tree of the product', () => {
    expect(keyPath('shared', 'projects/apollo', 'text')).toBe('shared/projects/apollo.md');
    expect(keyPath('coordinator', 'a_b-c.d', 'json')).toBe('coordinator/a_b-c.d.json');
    expect(keyPath('category:database', 'k', 'json')).toBe('categories/database/k.json');
    expect(keyPath('server:server-4100', 'k', 'json')).toBe('servers/server-4100/k.json');
  });

  it('escapes what some file system or Git would not take', () => {
    expect(keyPath('shared', 'Ab', 'json')).toBe('shared/%41b.json');
    expect(keyPath('shared', '.git/config', 'json')).toBe('shared/%2egit/config.json');
    expect(keyPath('shared', 'con/aux.txt', 'json')).toBe('shared/%63on/%61ux.txt.json');
    expect(keyPath('shared', 'a.md/b.json/c.md', 'text')).toBe('shared/a%2emd/b%2ejson/c.md.md');
    expect(keyPath('shared', 'ก', 'text')).toBe('shared/%e0%b8%81.md');
    expect(keyPath('shared', 'x'.repeat(200), 'text')).toMatch(/^shared\/x{80}~[0-9a-f]{32}\.md$/);
  });

  it('makes one path of NFC and NFD', () => {
    expect(keyPath('shared', normalizeKey('cafe\u0301'), 'text')).toBe(
      keyPath('shared', normalizeKey('café'), 'text'),
    );
  });

  it.each(['', '/a', 'a/', 'a//b', '.', 'a/../b', './a', 'a\0b', '\ud800', Array(40).fill('a').join('/')])(
    'refuses %j',
    (text) => {
      expect(() => normalizeKey(text)).toThrowError(expect.objectContaining({ code: 'INVALID_INPUT' }));
    },
  );

  it('is injective, also on a case-insensitive disk', () => {
    fc.assert(
      fc.property(scope, key, scope, key, kind, (scopeA, a, scopeB, b, how) => {
        const one = keyPath(scopeA, normalizeKey(a), how);
        const other = keyPath(scopeB, normalizeKey(b), how);
        const isSame = scopeA === scopeB && normalizeKey(a) === normalizeKey(b);
        expect(one.toLowerCase() === other.toLowerCase()).toBe(isSame);
      }),
      { numRuns: 500 },
    );
  });

  it('gives safe names, and the key back', () => {
    fc.assert(
      fc.property(scope, key, kind, (where, raw, how) => {
        const name = normalizeKey(raw);
        const path = keyPath(where, name, how);
        for (const part of path.split('/')) {
          expect(part).toMatch(/^[a-z0-9_%~-](?:[a-z0-9_.%~-]*[a-z0-9_%~-])?$/);
          expect(part).not.toMatch(/^(?:con|prn|aux|nul|com\d|lpt\d|\.git)(?:\.|$)/);
          expect(part.length).toBeLessThanOrEqual(128);
        }
        const identity = identifyFile(path, needsStoredKey(path) ? name : undefined);
        expect(identity).toEqual({ scope: where, key: name, kind: how, canonical: true });
      }),
      { numRuns: 500 },
    );
  });

  it('no file stands where another key needs a folder', () => {
    fc.assert(
      fc.property(key, key, kind, kind, (a, b, howA, howB) => {
        const one = keyPath('shared', normalizeKey(a), howA);
        const other = keyPath('shared', normalizeKey(b), howB);
        expect(other.startsWith(`${one}/`)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

describe('identifyFile', () => {
  it('knows files that a person named', () => {
    expect(identifyFile('shared/Notes.md')).toEqual({
      scope: 'shared',
      key: 'Notes',
      kind: 'text',
      canonical: false,
    });
    expect(identifyFile('shared/my notes/50%.md')?.key).toBe('my notes/50%');
  });

  it('does not let a file claim the key of another path', () => {
    expect(identifyFile('shared/a.md', 'b')).toMatchObject({ key: 'a' });
  });

  it.each([
    'README.md',
    'shared/picture.png',
    'shared/.md',
    'servers/UP/x.md',
    'other/x.md',
    'shared/a\nb.md',
    'shared//x.md',
  ])('knows no memory at %j', (path) => {
    expect(identifyFile(path)).toBeUndefined();
  });
});
