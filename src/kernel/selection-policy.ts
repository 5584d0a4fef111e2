/** One shape for every way to choose among equals, built in or of a plugin. */

/** What a policy sees of what it chooses from. */
export interface Member {
  /** Names it for as long as it lives, restarts included; consistent hashing places it by this. */
  readonly id: string;
  /** Calls under way. */
  readonly inFlight: number;
  /** Moving average of the time its calls take, milliseconds; 0 while nothing is known. */
  readonly latencyMs: number;
}

export interface SelectionPolicy<M extends Member = Member> {
  readonly name: string;
  /** True when a key has a home, so that a fresh member gets its keys at once. */
  readonly isSticky: boolean;
  /** Those to pick from until the next call. May take O(n log n): it happens when one comes, goes or falls ill. */
  setMembers(members: readonly M[]): void;
  /** One of the members, not `except` while there is another; undefined when there is none. At most O(log n). */
  pick(key?: string, except?: M): M | undefined;
  /** `inFlight` of one of the members has changed. At most O(log n). */
  loadChanged?(member: M): void;
}

/** A whole number from 0 up to, and without, `below`. */
export type Draw = (below: number) => number;

/** Makes a policy for one server or group; what a plugin brings. */
export type PolicyMaker = () => SelectionPolicy;
