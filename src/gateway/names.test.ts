import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exposedName, maxNameLength, splitUri, uriPrefix } from './names.ts';

const alias = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$/);

describe('exposedName', () => {
  it('joins alias and name', () => {
    expect(exposedName('github', 'create_issue')).toBe('github__create_issue');
    expect(exposedName('', 'memory_store')).toBe('memory_store');
  });

  it('marks names it had to change with a hash of the original', () => {
    expect(exposedName('a', 'x.y')).toMatch(/^a__x_y_[0-9a-f]{8}$/);
    expect(exposedName('a', 'x.y')).not.toBe(exposedName('a', 'x/y'));
    expect(exposedName('a', 'ค้นหา')).toMatch(/^a__[A-Za-z0-9_-]+$/);
  });

  it('always fits clients, and tells different names apart', () => {
    fc.assert(
      fc.property(
        alias,
        fc.string({ minLength: 1, maxLength: 200 }),
        fc.string({ minLength: 1, maxLength: 200 }),
        (a, one, other) => {
          const name = exposedName(a, one);
          expect(name).toMatch(/^[A-Za-z0-9_-]+$/);
          expect(name.length).toBeLessThanOrEqual(maxNameLength);
          if (one !== other) expect(exposedName(a, other)).not.toBe(name);
        },
      ),
    );
  });
});

describe('URIs', () => {
  it('come back as they went, whatever they are', () => {
    fc.assert(
      fc.property(alias, fc.webUrl({ withFragments: true, withQueryParameters: true }), (a, uri) => {
        const prefix = uriPrefix(a);
        expect(splitUri(prefix + uri)).toEqual({ prefix, uri });
        expect(() => new URL(prefix + uri)).not.toThrow();
      }),
    );
  });

  it('keep templates templates', () => {
    expect(splitUri(`${uriPrefix('My_Server')}test://{id}/data{?x*}`)).toEqual({
      prefix: 'gm.my.server+',
      uri: 'test://{id}/data{?x*}',
    });
  });

  it('leaves foreign URIs alone', () => {
    expect(splitUri('file:///etc/hosts')).toBeUndefined();
    expect(splitUri('gm.')).toBeUndefined();
  });
});
