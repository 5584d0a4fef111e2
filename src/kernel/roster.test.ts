import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Roster } from './roster.ts';

describe('Roster', () => {
  it('holds what a Set would hold', () => {
    const step = fc.record({ kind: fc.constantFrom('add', 'delete', 'clear'), of: fc.nat(7) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const all = Array.from({ length: 8 }, () => ({ place: -1 }));
        const roster = new Roster<{ place: number }>();
        const set = new Set<{ place: number }>();
        for (const { kind, of } of steps) {
          if (kind === 'clear') {
            roster.clear();
            set.clear();
          } else if (kind === 'add') {
            roster.add(all[of]!);
            set.add(all[of]!);
          } else {
            roster.delete(all[of]!);
            set.delete(all[of]!);
          }
          expect(roster.size).toBe(set.size);
          expect(new Set(roster)).toEqual(set);
          expect([...roster]).toHaveLength(set.size);
        }
      }),
    );
  });

  it('lets members leave while it is looked through', () => {
    const roster = new Roster<{ place: number }>();
    const all = [{ place: -1 }, { place: -1 }, { place: -1 }];
    for (const one of all) roster.add(one);
    const seen = [];
    for (const one of roster) {
      roster.delete(one);
      seen.push(one);
    }
    expect(seen).toHaveLength(3);
    expect(roster.size).toBe(0);
  });
});
