/** Chooses among members by a policy: the fit ones while there are any, else the next best, and says so. */

import type { SelectionOptions } from '../kernel/pool-options.ts';
import { randomInt } from 'node:crypto';
import { createPolicy, type PluginPolicies } from './policies/create-policy.ts';
import type { Draw, Member } from '../kernel/selection-policy.ts';

/**
 * `fit`: takes calls, or wakes for them. `coming`: will be there in a moment. `sick`: there, but its circuit is open.
 * `down`: not there, and not soon. `out`: gets no calls whatever happens.
 */
export type Fitness = 'fit' | 'coming' | 'sick' | 'down' | 'out';

export interface Candidate extends Member {
  readonly fitness: Fitness;
  /** Share of traffic it may have, 0 to 1; less than 1 for a while after a restart. */
  readonly warmth: number;
}

export interface Balancer<M extends Candidate> {
  /** All members, whatever their fitness. */
  setMembers(members: Iterable<M>): void;
  /** One of the fittest, not `except` while there is another; undefined when all are out. */
  pick(key?: string, except?: M): M | undefined;
  /** The fitness of a member has changed. */
  fitnessChanged(): void;
  /** The number of calls of a member has changed. */
  loadChanged(member: M): void;
  /** The fitness of the fittest. */
  readonly fitness: Fitness;
  /** True while calls go to sick members because no other is left. */
  readonly isFailingOpen: boolean;
}

/** The best first. */
const ranks: readonly Fitness[] = ['fit', 'coming', 'sick', 'down', 'out'];

/** Members not yet warm are left out more often the colder they are, 100 steps from cold to warm. */
const warmthSteps = 100;

export function createBalancer<M extends Candidate>(
  options: SelectionOptions & {
    /** Hears when calls begin to go to sick members, and when they cease to. */
    readonly onFailOpen?: (isOpen: boolean) => void;
    readonly draw?: Draw;
    readonly plugins?: PluginPolicies | undefined;
  },
): Balancer<M> {
  const { draw = randomInt } = options;
  const policy = createPolicy<M>(options.policy, options.plugins);
  let all: Iterable<M> = [];
  let chosen: readonly M[] = [];
  let fitness: Fitness = 'out';
  let isStale = true;

  function choose(): void {
    isStale = false;
    let best: Fitness = 'out';
    let next: M[] = [];
    for (const member of all) {
      const { fitness: own } = member;
      if (own === 'out' || ranks.indexOf(own) > ranks.indexOf(best)) continue;
      if (own !== best) next = [];
      best = own;
      next.push(member);
    }
    const isSame = next.length === chosen.length && next.every((member, at) => member === chosen[at]);
    if (!isSame) {
      chosen = next;
      policy.setMembers(next);
    }
    const wasOpen = fitness === 'sick';
    fitness = best;
    if (wasOpen !== (best === 'sick')) options.onFailOpen?.(!wasOpen);
  }

  function current(): Fitness {
    if (isStale) choose();
    return fitness;
  }

  return {
    setMembers(members) {
      all = members;
      isStale = true;
    },
    pick(key, except) {
      if (isStale) choose();
      const first = policy.pick(key, except);
      if (first === undefined || policy.isSticky || chosen.length < 2) return first;
      const { warmth } = first;
      if (warmth >= 1 || draw(warmthSteps) < warmth * warmthSteps) return first;
      return policy.pick(key, except ?? first);
    },
    fitnessChanged() {
      isStale = true;
    },
    loadChanged: (member) => policy.loadChanged?.(member),
    get fitness() {
      return current();
    },
    get isFailingOpen() {
      return current() === 'sick';
    },
  };
}
