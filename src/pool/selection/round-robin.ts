/** Takes candidates in turn. */

import type { SelectionPolicy } from './policy.ts';

export function createRoundRobin(): SelectionPolicy {
  let turn = 0;
  return {
    name: 'round-robin',
    pick(candidates) {
      turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
      return candidates[turn % candidates.length];
    },
  };
}
