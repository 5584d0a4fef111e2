import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageOf } from './pages.ts';

const named = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `tool-${index}` }));

describe('pageOf', () => {
  it('walks every item once, in order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 20 }), (count, size) => {
        const items = named(count);
        const seen: unknown[] = [];
        let cursor: string | undefined;
        do {
          const page = pageOf(items, 'name', cursor, size);
          expect(page.items.length).toBeLessThanOrEqual(size);
          seen.push(...page.items);
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(seen).toEqual(items);
      }),
    );
  });

  it('goes on after the same item when the list changed in between', () => {
    const first = pageOf(named(6), 'name', undefined, 3);
    const grown = [{ name: 'new' }, ...named(6)];
    expect(pageOf(grown, 'name', first.nextCursor, 3).items).toEqual(named(6).slice(3));
  });

  it.each(['', 'x', 'e30', Buffer.from('[-1,"a"]').toString('base64url'), 7])(
    'refuses the foreign cursor %j',
    (cursor) => {
      expect(() => pageOf(named(3), 'name', cursor)).toThrow(/cursor/);
    },
  );
});
