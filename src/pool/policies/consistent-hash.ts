/**
 * Gives each key a home on a ring of points; a member that comes or goes moves only the keys next to its points
 * (Karger et al., "Consistent Hashing and Random Trees", 1997).
 */

import type { Member, SelectionPolicy } from '../../kernel/selection-policy.ts';

/** Points of one member: the more, the more even the spread. */
const pointsPerMember = 128;

/** 32 bits of a text: FNV-1a over UTF-16 units, then the finalizer of MurmurHash3. */
export function hash32(text: string): number {
  let bits = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) bits = Math.imul(bits ^ text.charCodeAt(at), 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** O(log n). Calls without a key go round the ring. */
export function createConsistentHash<M extends Member>(): SelectionPolicy<M> {
  let points = new Uint32Array();
  let owners: readonly M[] = [];
  let count = 0;
  let turn = 0;

  /** Place of the first point at or after `bits`, going round. */
  function placeOf(bits: number): number {
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]! < bits) low = middle + 1;
      else high = middle;
    }
    return low === points.length ? 0 : low;
  }

  return {
    name: 'consistent-hash',
    isSticky: true,
    setMembers(members) {
      const ring = members.flatMap((owner) =>
        Array.from({ length: pointsPerMember }, (_, n) => ({ point: hash32(`${owner.id}#${n}`), owner })),
      );
      // Two points of one value have the same order whoever came first.
      ring.sort((a, b) => a.point - b.point || (a.owner.id < b.owner.id ? -1 : 1));
      points = Uint32Array.from(ring, ({ point }) => point);
      owners = ring.map(({ owner }) => owner);
      count = members.length;
    },
    pick(key, except) {
      if (count === 0) return undefined;
      const start = placeOf(hash32(key ?? `${(turn += 1)}`));
      if (count === 1) return owners[start];
      // The next home of the key; half of the points or more are another's, so this ends soon.
      for (let at = start; ; at = at + 1 < owners.length ? at + 1 : 0)
        if (owners[at] !== except) return owners[at];
    },
  };
}
