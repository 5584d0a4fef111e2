/** Who may go on: looks at all limits of a call, and counts it in all of them or in none. */

import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Priority } from '../../kernel/pool-options.ts';
import type { Principal } from '../../kernel/principal.ts';
import type { LimitSettings, LimitWindow, OnLimited, Standing } from '../../kernel/rate-limits.ts';
import type { BucketList, BucketTable } from './bucket-table.ts';
import { type Bucket, type Policy, unknown } from './buckets.ts';

/** What was counted and has not ended. */
export interface Held {
  /** It is over, whatever came of it; once is enough. */
  leave(): void;
}

/** What somebody is about to do; a request that is no call has no server. */
export interface Limited {
  readonly principal: Principal;
  readonly server?: string | undefined;
  /** The server's own name of it. */
  readonly tool?: string | undefined;
}

/** Undefined where nothing has to be given back. */
export type Entered = Held | undefined;

export interface Limits {
  /**
   * Counts one. Throws RATE_LIMITED; where others have to be asked first it is a promise, which rejects with that or
   * with LIMITS_UNAVAILABLE.
   */
  enter(limited: Limited): Entered | Promise<Entered>;
  /** The most urgent that somebody's calls can be. */
  priorityOf(principal: Principal): Priority | undefined;
  planOf(principal: Principal): string | undefined;
  /** How somebody stands with all limits that hold for such a call. */
  standings(limited: Limited): Promise<Standing[]>;
  /** The same as it is known here. */
  knownStandings(limited: Limited): Standing[];
  /** Takes other rules; those under way are let go as they came. */
  apply(settings: LimitSettings): void;
  /** Stops; nothing is counted afterwards. */
  [Symbol.dispose](): void;
}

const words: Record<LimitWindow, string> = {
  second: 'a second',
  hour: 'an hour',
  month: 'a month',
  concurrency: 'at a time',
};

/** How often whoever has all that they may have is forgotten, milliseconds. */
const sweepMs = 60_000;

const noBuckets: BucketList = { all: [], places: [] };
const mustAsk = Symbol('others have to be asked first');

class Places implements Held {
  private isOver = false;
  private readonly lists: readonly BucketList[];
  constructor(...lists: BucketList[]) {
    this.lists = lists;
  }
  leave(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const { places } of this.lists) for (const bucket of places) bucket.leave();
  }
}

export function createLimits(parts: {
  readonly table: BucketTable;
  readonly clock: Clock;
  readonly onLimited?: OnLimited | undefined;
}): Limits {
  const { table, clock, onLimited } = parts;
  // One for all: nothing in here waits between looking at it and being done with it.
  const at = { elapsedMs: 0, nowMs: 0 };
  let longestMs = 0;
  let tightest: Bucket | undefined;
  let toAsk: Bucket[] | undefined;

  function look({ all }: BucketList): void {
    for (const bucket of all) {
      const waitMs = bucket.waitMs(at);
      if (waitMs === 0) continue;
      if (waitMs === unknown) (toAsk ??= []).push(bucket);
      else if (waitMs > longestMs) {
        longestMs = waitMs;
        tightest = bucket;
      }
    }
  }

  function take({ all }: BucketList): void {
    for (const bucket of all) bucket.take(at);
  }

  function setClocks(): void {
    at.elapsedMs = clock.elapsed();
    at.nowMs = clock.now();
  }

  function tryEnter(own: BucketList, server: BucketList, tool: BucketList): Entered | typeof mustAsk {
    setClocks();
    longestMs = 0;
    tightest = undefined;
    toAsk = undefined;
    look(own);
    look(server);
    look(tool);
    if (tightest) throw refused(tightest, longestMs);
    if (toAsk) return mustAsk;
    take(own);
    take(server);
    take(tool);
    return own.places.length + server.places.length + tool.places.length > 0
      ? new Places(own, server, tool)
      : undefined;
  }

  function refused(bucket: Bucket, waitMs: number): AppError {
    const { per, window } = bucket.policy;
    onLimited?.(per, window);
    const standing = bucket.standing(at);
    return new AppError('RATE_LIMITED', {
      ...standing,
      remaining: 0,
      retryAfterMs: Math.ceil(waitMs),
      allowed: allowedBy(bucket.policy),
    });
  }

  function listsOf({ principal, server, tool }: Limited): [BucketList, BucketList, BucketList] {
    return [
      table.ofPrincipal(principal),
      server === undefined ? noBuckets : table.ofServer(server),
      server === undefined || tool === undefined ? noBuckets : table.ofTool(server, tool),
    ];
  }

  async function enterLater(limited: Limited, asked: readonly Bucket[]): Promise<Entered> {
    let waiting = asked;
    for (;;) {
      await Promise.all(waiting.map((bucket) => bucket.ask?.() ?? Promise.resolve()));
      const entered = tryEnter(...listsOf(limited));
      if (entered !== mustAsk) return entered;
      waiting = toAsk ?? [];
    }
  }

  function knownStandings(limited: Limited): Standing[] {
    if (table.isEmpty) return [];
    const lists = listsOf(limited);
    setClocks();
    return lists.flatMap(({ all }) => all.map((bucket) => bucket.standing(at)));
  }

  let cancelSweep = () => {};
  function sweepOn(): void {
    cancelSweep = clock.after(sweepMs, () => {
      setClocks();
      table.sweep(at);
      sweepOn();
    });
  }
  sweepOn();

  return {
    enter(limited) {
      if (table.isEmpty) return undefined;
      const { principal, server, tool } = limited;
      const entered = tryEnter(
        table.ofPrincipal(principal),
        server === undefined ? noBuckets : table.ofServer(server),
        server === undefined || tool === undefined ? noBuckets : table.ofTool(server, tool),
      );
      return entered === mustAsk ? enterLater(limited, toAsk ?? []) : entered;
    },
    priorityOf: (principal) => (table.isEmpty ? undefined : table.ofPrincipal(principal).priority),
    planOf: (principal) => table.ofPrincipal(principal).plan,
    knownStandings,
    async standings(limited) {
      const lists = listsOf(limited);
      await Promise.all(
        lists.flatMap(({ all }) => all.map((bucket) => bucket.look?.() ?? Promise.resolve())),
      );
      return knownStandings(limited);
    },
    apply: (settings) => table.apply(settings),
    [Symbol.dispose]: () => cancelSweep(),
  };
}

/** `10 an hour`, `5 at a time`. */
function allowedBy({ limit, window }: Policy): string {
  return `${limit} ${words[window]}`;
}
