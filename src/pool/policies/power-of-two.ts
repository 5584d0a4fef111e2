/**
 * Draws two members and takes the one that promises the earlier answer: average time of its calls times the calls it
 * would then have (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).
 */

import { randomInt } from 'node:crypto';
import type { Draw, Member, SelectionPolicy } from '../../kernel/selection-policy.ts';

/** A member of which nothing is known yet counts as fast as this, milliseconds. */
const assumedMs = 1;

function cost(member: Member): number {
  return Math.max(member.latencyMs, assumedMs) * (member.inFlight + 1);
}

/** Constant time. */
export function createPowerOfTwo<M extends Member>(draw: Draw = randomInt): SelectionPolicy<M> {
  let members: readonly M[] = [];

  /** Any member but the one at `place`. */
  function another(place: number): number {
    const drawn = draw(members.length - 1);
    return drawn < place ? drawn : drawn + 1;
  }

  return {
    name: 'power-of-two',
    isSticky: false,
    setMembers(fresh) {
      members = fresh;
    },
    pick(_key, except) {
      if (members.length < 2) return members[0];
      const place = draw(members.length);
      const first = members[place]!;
      const second = members[another(place)]!;
      if (first === except) return second;
      if (second === except) return first;
      return cost(second) < cost(first) ? second : first;
    },
  };
}
