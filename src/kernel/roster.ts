/**
 * Members that come and go by the thousand. A Set would do, but one that is changed all the time leaves old
 * tables behind, and what they held may live on until a full collection. Its share in what was measured on the way
 * of a request was not measured alone.
 */

/** A member knows its own place; -1 while it is in no roster. */
export interface Placed {
  place: number;
}

export class Roster<T extends Placed> {
  private readonly members: T[] = [];

  get size(): number {
    return this.members.length;
  }

  add(member: T): void {
    if (member.place >= 0) return;
    member.place = this.members.length;
    this.members.push(member);
  }

  delete(member: T): void {
    const { place } = member;
    if (place < 0) return;
    const last = this.members.pop()!;
    if (last !== member) {
      this.members[place] = last;
      last.place = place;
    }
    member.place = -1;
  }

  /** The members as of now, in no order; they may come and go while one looks at them. */
  [Symbol.iterator](): ArrayIterator<T> {
    return [...this.members].values();
  }

  clear(): void {
    for (const member of this.members) member.place = -1;
    this.members.length = 0;
  }
}
