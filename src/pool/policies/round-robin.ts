/** Takes members in turn. */

import type { Member, SelectionPolicy } from '../../kernel/selection-policy.ts';

/** Constant time. */
export function createRoundRobin<M extends Member>(): SelectionPolicy<M> {
  let members: readonly M[] = [];
  let turn = 0;

  function next(): M | undefined {
    turn = turn + 1 < members.length ? turn + 1 : 0;
    return members[turn];
  }

  return {
    name: 'round-robin',
    isSticky: false,
    setMembers(fresh) {
      members = fresh;
    },
    pick(_key, except) {
      const chosen = next();
      return chosen === except && members.length > 1 ? next() : chosen;
    },
  };
}
