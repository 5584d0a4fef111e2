/** One battery for every selection policy: those built in, and those of the example plugins. */

import fc from 'fast-check';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { loadPlugins } from '../../src/catalog/load-plugins.ts';
import { type Logger, silentLogger } from '../../src/kernel/log.ts';
import { policyNames, type PolicyName } from '../../src/kernel/pool-options.ts';
import type { Member, PolicyMaker, SelectionPolicy } from '../../src/kernel/selection-policy.ts';
import { createPolicy } from '../../src/pool/policies/create-policy.ts';

const examples = join(import.meta.dirname, '../../examples');
const error = vi.fn<Logger['error']>();
const logger = { ...silentLogger, error };
let makers: ReadonlyMap<string, PolicyMaker>;

beforeAll(async () => {
  ({ policies: makers } = await loadPlugins(['./plugin-policy'], examples, []));
});

interface Fake extends Member {
  inFlight: number;
  latencyMs: number;
}

const membersOf = (count: number): Fake[] =>
  Array.from({ length: count }, (_, n) => ({ id: `m${n}`, inFlight: 0, latencyMs: 10 }));

const names: readonly PolicyName[] = [...policyNames, 'stay/put'];

describe.each(names)('%s', (name) => {
  const create = (): SelectionPolicy<Fake> => createPolicy<Fake>(name, { makers, logger });

  it('has nothing to give without members, and the only one when there is one', () => {
    const policy = create();
    expect(policy.name).toBe(name);
    expect(policy.pick('key')).toBeUndefined();
    const [only] = membersOf(1);
    policy.setMembers([only!]);
    expect(policy.pick('key')).toBe(only);
    expect(policy.pick(undefined, only)).toBe(only);
    policy.setMembers([]);
    expect(policy.pick()).toBeUndefined();
    expect(error).not.toHaveBeenCalled();
  });

  it('picks among those that are there, and not the one to be left out, whoever comes and goes', () => {
    const step = fc.record({
      kept: fc.uniqueArray(fc.nat(11), { minLength: 1 }),
      except: fc.nat(11),
      key: fc.option(fc.string(), { nil: undefined }),
      loads: fc.array(fc.tuple(fc.nat(11), fc.nat(5))),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const all = membersOf(12);
        const policy = create();
        for (const { kept, except, key, loads } of steps) {
          const here = kept.map((at) => all[at]!);
          policy.setMembers(here);
          for (const [at, inFlight] of loads) {
            all[at]!.inFlight = inFlight;
            policy.loadChanged?.(all[at]!);
          }
          const left = all[except]!;
          const picked = policy.pick(key, left)!;
          expect(here).toContain(picked);
          if (here.length > 1) expect(picked).not.toBe(left);
        }
      }),
    );
    // Round-robin in its place would pass as well.
    expect(error).not.toHaveBeenCalled();
  });

  it('leaves nobody out when there is much to do', () => {
    const members = membersOf(10);
    const policy = create();
    policy.setMembers(members);
    const underWay: Fake[] = [];
    const picked = new Set<Fake>();
    for (let n = 0; n < 2000; n += 1) {
      const member = policy.pick(`key-${n}`)!;
      picked.add(member);
      underWay.push(member);
      member.inFlight += 1;
      policy.loadChanged?.(member);
      const done = underWay.length > 90 ? underWay.shift() : undefined;
      if (!done) continue;
      done.inFlight -= 1;
      policy.loadChanged?.(done);
    }
    expect(picked.size).toBe(10);
  });
});

describe('a policy of a plugin that does what it may not', () => {
  const stranger: Member = { id: 'stranger', inFlight: 0, latencyMs: 0 };
  const good: SelectionPolicy = {
    name: 'x',
    isSticky: true,
    setMembers() {},
    pick: () => undefined,
  };
  const boom = (): never => {
    throw new Error('boom');
  };

  it.each<[string, PolicyMaker]>([
    ['throws when it is made', boom],
    ['is none', () => undefined as unknown as SelectionPolicy],
    ['throws when members come', () => ({ ...good, setMembers: boom })],
    ['throws when it picks', () => ({ ...good, pick: boom })],
    ['picks nobody', () => good],
    ['picks a stranger', () => ({ ...good, pick: () => stranger })],
    ['picks what is to be left out', () => ({ ...good, pick: (_key, except) => except })],
    ['promises', () => ({ ...good, pick: (async () => stranger) as unknown as () => Member })],
    ['throws when load changes', () => ({ ...good, loadChanged: boom })],
  ])('%s: round-robin takes its place, with one line in the log', (_, make) => {
    error.mockClear();
    const policy = createPolicy<Fake>('p/x', { makers: new Map([['p/x', make]]), logger });
    const members = membersOf(3);
    policy.setMembers(members);
    policy.loadChanged?.(members[0]!);
    const picks = Array.from({ length: 6 }, () => policy.pick('key', members[0]));
    expect(new Set(picks)).toEqual(new Set([members[1], members[2]]));
    expect(policy.isSticky).toBe(false);
    expect(error).toHaveBeenCalledTimes(1);
    expect(error.mock.calls[0]?.[0]).toMatchObject({ policy: 'p/x' });
  });

  it('is refused by name when no plugin brings it', () => {
    expect(() => createPolicy('p/y', { makers: new Map(), logger })).toThrow(
      /selection\.policy: "p\/y" is not one of round-robin, .*plugins/,
    );
  });
});
