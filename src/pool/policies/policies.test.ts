import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyNames } from '../../kernel/pool-options.ts';
import { createConsistentHash } from './consistent-hash.ts';
import { createPolicy } from './create-policy.ts';
import { createLeastRequests } from './least-requests.ts';
import type { Member } from '../../kernel/selection-policy.ts';
import { createPowerOfTwo } from './power-of-two.ts';
import { createRoundRobin } from './round-robin.ts';

interface Fake extends Member {
  inFlight: number;
  latencyMs: number;
}

// What every policy must do is in test/contract/policy.test.ts.
const membersOf = (count: number): Fake[] =>
  Array.from({ length: count }, (_, n) => ({ id: `m${n}`, inFlight: 0, latencyMs: 10 }));

/** How often each member was picked. */
function tally(picks: Iterable<Member | undefined>): number[] {
  const counts = new Map<unknown, number>();
  for (const pick of picks) counts.set(pick, (counts.get(pick) ?? 0) + 1);
  return [...counts.values()];
}

const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe.each(policyNames)('%s', (name) => {
  it('spreads calls evenly', () => {
    const members = membersOf(10);
    const policy = createPolicy<Fake>(name);
    policy.setMembers(members);
    const counts = tally(times(10_000, (n) => policy.pick(`key-${n}`)));
    expect(counts).toHaveLength(10);
    // 1,000 each on average; chance and the ring's points leave a third and more of that.
    expect(Math.min(...counts)).toBeGreaterThan(600);
    expect(Math.max(...counts)).toBeLessThan(1500);
  });
});

describe('round-robin', () => {
  it('takes each once in a round', () => {
    const policy = createRoundRobin<Fake>();
    policy.setMembers(membersOf(7));
    const ids = times(14, () => policy.pick()!.id);
    expect(new Set(ids.slice(0, 7)).size).toBe(7);
    expect(ids.slice(7)).toEqual(ids.slice(0, 7));
  });
});

describe('least-requests', () => {
  it('always has one with the fewest calls under way', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(99)), (count, moves) => {
        const members = membersOf(count);
        const policy = createLeastRequests<Fake>();
        policy.setMembers(members);
        for (const move of moves) {
          const picked = policy.pick()!;
          expect(picked.inFlight).toBe(Math.min(...members.map(({ inFlight }) => inFlight)));
          picked.inFlight += 1;
          policy.loadChanged!(picked);
          const done = members[move % count]!;
          if (move % 3 > 0 || done.inFlight === 0) continue;
          done.inFlight -= 1;
          policy.loadChanged!(done);
        }
      }),
    );
  });

  it('goes round those that are equal', () => {
    const policy = createLeastRequests<Fake>();
    policy.setMembers(membersOf(5));
    expect(tally(times(50, () => policy.pick()))).toEqual([10, 10, 10, 10, 10]);
  });
});

describe('power-of-two', () => {
  it('prefers the faster and the less busy of the two it draws', () => {
    const members = membersOf(2);
    const policy = createPowerOfTwo<Fake>();
    policy.setMembers(members);
    members[0]!.latencyMs = 30;
    expect(tally(times(100, () => policy.pick()))).toEqual([100]);
    expect(policy.pick()).toBe(members[1]);
    members[1]!.inFlight = 3;
    expect(policy.pick()).toBe(members[0]);
  });

  it('sends a slow member of ten little', () => {
    const members = membersOf(10);
    members[3]!.latencyMs = 1000;
    const policy = createPowerOfTwo<Fake>();
    policy.setMembers(members);
    const picks = times(10_000, () => policy.pick());
    expect(picks.filter((member) => member === members[3])).toEqual([]);
  });
});

describe('consistent-hash', () => {
  const homesOf = (members: readonly Fake[], keys: readonly string[]) => {
    const policy = createConsistentHash<Fake>();
    policy.setMembers(members);
    return keys.map((key) => policy.pick(key));
  };

  it('gives a key the same home every time, in whatever order the members come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string()),
        fc.shuffledSubarray(membersOf(8), { minLength: 8 }),
        (keys, order) => {
          const ids = (members: readonly Fake[]) => homesOf(members, keys).map((home) => home?.id);
          expect(ids(order)).toEqual(ids(membersOf(8)));
        },
      ),
    );
  });

  it('moves only the keys of the member that goes, and back when it returns', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 30 }), fc.nat(29), (count, gone) => {
        const members = membersOf(count);
        const lost = members[gone % count]!;
        const keys = times(300, (n) => `key ${n}`);
        const before = homesOf(members, keys);
        const after = homesOf(
          members.filter((member) => member !== lost),
          keys,
        );
        for (const [at, home] of before.entries()) if (home !== lost) expect(after[at]).toBe(home);
        expect(homesOf(members, keys)).toEqual(before);
      }),
    );
  });

  it('has for each key a second home that is always the same', () => {
    const members = membersOf(5);
    const policy = createConsistentHash<Fake>();
    policy.setMembers(members);
    const home = policy.pick('a');
    expect(new Set(times(10, () => policy.pick('a', home))).size).toBe(1);
  });
});
