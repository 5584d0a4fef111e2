/** The replicas of an instance, whose number may change: one that goes finishes its calls first. */

import { setImmediate } from 'node:timers/promises';
import type { PoolMember } from './member.ts';

export interface ReplicaSet {
  /** Those that get calls; the same array always, and the first one stays. */
  readonly members: readonly PoolMember[];
  /** Those that get no more and finish what they have. */
  readonly leaving: readonly PoolMember[];
  /** Restarts of all, of those that have gone too. */
  readonly restarts: number;
  /** Brings replicas, or takes them from the end; one that is leaving is brought back before a new one is made. */
  resize(count: number): void;
  /** Stops at once those that are leaving. */
  endLeaving(): Promise<void>;
}

export interface ReplicaSetOptions {
  /** How many at first. */
  readonly count: number;
  /** Makes the one of a number that no other has. */
  readonly create: (index: number) => PoolMember;
  /** False while the others are asleep or stopped: then a new one is opened with them. */
  readonly isUp: () => boolean;
  readonly onChange: () => void;
}

export function createReplicaSet({ count, create, isUp, onChange }: ReplicaSetOptions): ReplicaSet {
  const members = Array.from({ length: count }, (_, index) => create(index));
  const leaving: PoolMember[] = [];
  const numbers = new WeakMap(members.map((member, index) => [member, index]));
  let formerRestarts = 0;

  function createNext(): PoolMember {
    const taken = new Set([...members, ...leaving].map((member) => numbers.get(member)));
    let free = 0;
    while (taken.has(free)) free += 1;
    const member = create(free);
    numbers.set(member, free);
    return member;
  }

  function grow(): void {
    const opens = isUp();
    const member = leaving.pop() ?? createNext();
    member.isDraining = false;
    members.push(member);
    // One that cannot start says so in its state, and tries again.
    if (opens) member.replica.acquire().catch(() => {});
  }

  function shrink(): void {
    const member = members.pop()!;
    member.isDraining = true;
    leaving.push(member);
    void drain(member);
  }

  async function drain(member: PoolMember): Promise<void> {
    do {
      await member.work.whenNone();
      // Whoever chose it just before has called by the next turn of the event loop.
      await setImmediate();
    } while (member.work.size > 0);
    if (member.isDraining) await end(member);
  }

  async function end(member: PoolMember): Promise<void> {
    const at = leaving.indexOf(member);
    if (at < 0) return;
    leaving.splice(at, 1);
    formerRestarts += member.replica.restarts;
    member.close();
    await member.replica.stop('stopped');
    onChange();
  }

  return {
    members,
    leaving,
    get restarts() {
      return [...members, ...leaving].reduce((sum, { replica }) => sum + replica.restarts, formerRestarts);
    },
    resize(wanted) {
      if (wanted === members.length) return;
      while (members.length < wanted) grow();
      while (members.length > wanted) shrink();
      onChange();
    },
    async endLeaving() {
      await Promise.all([...leaving].map(end));
    },
  };
}
