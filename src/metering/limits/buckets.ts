/** What is counted: one bucket for each limit of each of those that it counts. Nothing here waits or allocates. */

import type { LimitedBy, LimitWindow, Standing } from '../../kernel/rate-limits.ts';
import type { Calendar } from './calendar.ts';

/** One limit of a rule or plan. */
export interface Policy {
  readonly rule: string;
  readonly per: LimitedBy;
  readonly window: LimitWindow;
  readonly limit: number;
  readonly burst: number;
}

/** Whose bucket it is. */
export interface Owner {
  /** Tenant that it is kept under; empty for what is counted over tenants. */
  readonly tenant: string;
  /** What is counted, for people. */
  readonly of: string;
}

/** The two clocks: one that never jumps, for rates, and the time of day, for months; milliseconds. */
export interface Moment {
  readonly elapsedMs: number;
  readonly nowMs: number;
}

export interface Bucket {
  /** The same for the same limit of the same owner, over restarts and coordinators. */
  readonly key: string;
  readonly owner: Owner;
  /** Changes when the config is loaded again. */
  policy: Policy;
  /** Time until one more may come, milliseconds; 0 for now, `unknown` when others have to be asked first. */
  waitMs(at: Moment): number;
  /** Counts one, after `waitMs` has said 0. */
  take(at: Moment): void;
  /** One that was counted is over. */
  leave(): void;
  standing(at: Moment): Standing;
  /** Nothing would be lost if it were made anew. */
  isIdle(at: Moment): boolean;
  /** Resolves when `waitMs` may say something else than `unknown`. */
  ask?(): Promise<void>;
  /** Asks the others how it stands. */
  look?(): Promise<void>;
}

/** An answer of `waitMs`. */
export const unknown = -1;

const windowMs = { second: 1000, hour: 3_600_000 } as const;

/** Differences that come of adding fractions, milliseconds. */
const tolerance = 1e-6;

/** How its owner stands. */
function standingOf({ policy, owner }: Bucket, remaining: number, resetMs: number): Standing {
  const { rule, per, window, limit, burst } = policy;
  return {
    rule,
    per,
    of: owner.of,
    window,
    limit,
    burst,
    remaining: Math.max(0, remaining),
    resetMs: Math.ceil(resetMs),
  };
}

/**
 * A token bucket as one number, the time at which all of it is there again (the generic cell rate algorithm): in any
 * time `t` it lets at most `burst + t · limit / window` through.
 */
export function createRateBucket(key: string, owner: Owner, first: Policy): Bucket {
  let fullAtMs = 0;
  let intervalMs = 0;
  let depthMs = 0;
  let policy = first;
  function measure(): void {
    intervalMs = windowMs[policy.window as keyof typeof windowMs] / policy.limit;
    depthMs = policy.burst * intervalMs;
  }
  measure();
  return {
    key,
    owner,
    get policy() {
      return policy;
    },
    set policy(next) {
      policy = next;
      measure();
    },
    waitMs({ elapsedMs }) {
      const waitMs = fullAtMs + intervalMs - depthMs - elapsedMs;
      return waitMs <= tolerance ? 0 : waitMs;
    },
    take({ elapsedMs }) {
      fullAtMs = Math.max(fullAtMs, elapsedMs) + intervalMs;
    },
    leave() {},
    standing({ elapsedMs }) {
      const owedMs = Math.max(0, fullAtMs - elapsedMs);
      return standingOf(this, Math.floor((depthMs - owedMs) / intervalMs + tolerance), owedMs);
    },
    isIdle: ({ elapsedMs }) => fullAtMs <= elapsedMs,
  };
}

/** Counts in a calendar month. */
export interface MonthBucket extends Bucket {
  /** In the month that it is. */
  readonly used: number;
  /** Counts of before a restart, or of other coordinators. */
  add(count: number): void;
}

/** `onUse` hears of each one that is counted. */
export function createMonthBucket(
  key: string,
  owner: Owner,
  policy: Policy,
  calendar: Calendar,
  onUse: (bucket: MonthBucket) => void,
): MonthBucket {
  let { month } = calendar;
  let used = 0;
  function turn(nowMs: number): void {
    calendar.look(nowMs);
    if (calendar.month === month) return;
    ({ month } = calendar);
    used = 0;
  }
  const bucket: MonthBucket = {
    key,
    owner,
    policy,
    get used() {
      return used;
    },
    add(count) {
      used += count;
    },
    waitMs({ nowMs }) {
      turn(nowMs);
      return used < bucket.policy.limit ? 0 : Math.max(1, calendar.endsAtMs - nowMs);
    },
    take({ nowMs }) {
      turn(nowMs);
      used += 1;
      onUse(bucket);
    },
    leave() {},
    standing({ nowMs }) {
      turn(nowMs);
      return standingOf(bucket, bucket.policy.limit - used, Math.max(0, calendar.endsAtMs - nowMs));
    },
    isIdle({ nowMs }) {
      turn(nowMs);
      return used === 0;
    },
  };
  return bucket;
}

/** Nobody knows when a call under way will be over; after so long it is worth to look again, milliseconds. */
const placeRetryMs = 1000;

/** Counts calls under way. */
export function createPlaces(key: string, owner: Owner, policy: Policy): Bucket {
  let taken = 0;
  const bucket: Bucket = {
    key,
    owner,
    policy,
    waitMs: () => (taken < bucket.policy.limit ? 0 : placeRetryMs),
    take() {
      taken += 1;
    },
    leave() {
      taken -= 1;
    },
    standing: () => standingOf(bucket, bucket.policy.limit - taken, 0),
    isIdle: () => taken === 0,
  };
  return bucket;
}
