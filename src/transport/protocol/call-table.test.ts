import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCallTable } from './call-table.ts';

describe('createCallTable', () => {
  it('behaves as a map does, whatever comes and goes', () => {
    // A number adds an item and removes the one that is so many places back, if it is still there.
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 2000 }), (steps) => {
        const table = createCallTable<{ id: number }>();
        const model = new Map<number, { id: number }>();
        const ids: number[] = [];
        for (const back of steps) {
          const item = { id: table.nextId() };
          expect(item.id).toBeGreaterThan(ids.at(-1) ?? 0);
          ids.push(item.id);
          table.add(item);
          model.set(item.id, item);
          const gone = ids[ids.length - 1 - back] ?? -1;
          expect(table.delete(gone)).toBe(model.delete(gone));
          expect(table.get(gone)).toBeUndefined();
        }
        expect(table.values()).toEqual([...model.values()]);
        for (const [id, item] of model) expect(table.get(id)).toBe(item);
      }),
      { numRuns: 30 },
    );
  });

  it('knows no ids but its own', () => {
    const table = createCallTable<{ id: number }>();
    table.add({ id: table.nextId() });
    for (const id of ['1', 65, -63, 1.5, Number.NaN, null, undefined, {}])
      expect(table.get(id)).toBeUndefined();
  });
});
