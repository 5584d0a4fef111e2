/** Takes the member with the fewest calls under way; among equals the one that has waited longest for its turn. */

import { createIndexedHeap } from '../indexed-heap.ts';
import type { Member, SelectionPolicy } from '../../kernel/selection-policy.ts';

/** O(log n): a heap by calls under way, put in order again whenever a call begins or ends. */
export function createLeastRequests<M extends Member>(): SelectionPolicy<M> {
  const turns = new WeakMap<M, number>();
  let turn = 0;
  const heap = createIndexedHeap<M>(
    (a, b) => a.inFlight < b.inFlight || (a.inFlight === b.inFlight && turnOf(a) < turnOf(b)),
  );

  function turnOf(member: M): number {
    return turns.get(member) ?? 0;
  }

  return {
    name: 'least-requests',
    isSticky: false,
    setMembers: (fresh) => heap.replace(fresh),
    pick(_key, except) {
      const chosen = heap.first(except);
      if (!chosen) return undefined;
      turns.set(chosen, (turn += 1));
      heap.moved(chosen);
      return chosen;
    },
    loadChanged: (member) => heap.moved(member),
  };
}
