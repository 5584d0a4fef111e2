/**
 * Places in the replicas of an instance that takes so many calls at a time, and the line of calls that wait for one. A call
 * has its place from the choice of its replica until its request ends.
 */

import type { CancelSignal } from '../../kernel/cancel.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import {
  defaultSelection,
  lowerPriority,
  type Priority,
  type QueueOptions,
} from '../../kernel/pool-options.ts';
import type { Connection, RequestOptions } from '../../transport/connection.ts';
import { type Balancer, createBalancer } from '../balancer.ts';
import type { InFlight } from '../in-flight.ts';
import type { PoolMember } from '../member.ts';
import { createWaitLine, type Waiter } from './wait-line.ts';

export interface Wish {
  /** For consistent hashing. */
  readonly key?: string | undefined;
  /** Not the replica of this connection while there is another. */
  readonly except?: Connection | undefined;
  /** Wished by the client; counts where it is less than that of the server's config. */
  readonly priority?: Priority | undefined;
  /** A call that is cancelled leaves the line at once, with REQUEST_CANCELLED. */
  readonly signal?: CancelSignal | undefined;
}

export interface Place {
  /** The connection of its replica. Rejects UPSTREAM_UNAVAILABLE. */
  connect(): Promise<Connection>;
  /** True the first time: the request that begins now counts as the place. */
  begin(): boolean;
  /** Gives it back; of no effect after `begin`, when it goes with the request. */
  leave(): void;
}

/** A request of a call that may have a place already. */
export interface CallOptions extends RequestOptions {
  readonly place?: Place | undefined;
}

export interface Places {
  /** A call would get its place at once. */
  readonly hasRoom: boolean;
  readonly limit: number;
  readonly waiting: number;
  readonly maxWaiting: number;
  /** Calls that got no place since the start: the line was full, or they waited too long. */
  readonly refused: number;
  /** A place now, or when it is the call's turn. Rejects SERVER_BUSY. */
  take(wish: Wish): Place | Promise<Place>;
  /** The replicas to choose from, or how they are, have changed. */
  fitnessChanged(): void;
  /** A call of the replica began or ended. */
  loadChanged(member: PoolMember): void;
  /** All who wait get the error. */
  rejectAll(error: unknown): void;
}

export interface PlacesOptions {
  readonly server: string;
  /** Calls at a time in one replica. */
  readonly limit: number;
  readonly queue: QueueOptions;
  readonly clock: Clock;
  readonly members: readonly PoolMember[];
  /** Chooses by the policy of the instance. */
  readonly balancer: Balancer<PoolMember>;
  readonly memberOf: (connection: Connection) => PoolMember | undefined;
  /** True while nobody is let in, as during a restart. */
  readonly isHeld: () => boolean;
  /** Throws UPSTREAM_UNAVAILABLE when it may not run at all. */
  readonly admit: () => unknown;
  /** What whoever ends the instance waits for. */
  readonly work: InFlight;
  /** The number of those who wait has changed. */
  readonly onWaiting: () => void;
}

interface WaitingCall extends Waiter {
  readonly wish: Wish;
  readonly settle: PromiseWithResolvers<Place>;
  cancelTimer?: () => void;
  handleEvent(): void;
}

/** What is said of the wait for a place, milliseconds. */
const shortestRetryMs = 1000;
const longestRetryMs = 60_000;
/** Time of a call while none is known, milliseconds. */
const guessedCallMs = 1000;

export function createPlaces(options: PlacesOptions): Places {
  const { server, limit, queue, clock, members, balancer, work } = options;
  const line = createWaitLine<WaitingCall>(queue.maxWaiting);
  /** Where the choice of the policy is full, the one with the fewest calls. */
  const idlest = createBalancer<PoolMember>({ ...defaultSelection, policy: 'least-requests' });
  idlest.setMembers(members);
  let refused = 0;

  function memberWithRoom({ key, except }: Wish): PoolMember | undefined {
    const avoided = except && options.memberOf(except);
    const chosen = balancer.pick(key, avoided);
    if (!chosen || chosen.inFlight < limit) return chosen;
    const other = idlest.pick(undefined, avoided);
    return other && other.inFlight < limit ? other : undefined;
  }

  /** Lets in whoever is next, as long as there is room. */
  function letIn(): void {
    while (line.size > 0 && !options.isHeld()) {
      const first = line.first()!;
      const member = memberWithRoom(first.wish);
      if (!member) return;
      leaveLine(first, true);
      first.settle.resolve(placeIn(member, work));
    }
  }

  function leaveLine(call: WaitingCall, isServed = false): void {
    line.remove(call, isServed);
    call.cancelTimer?.();
    call.wish.signal?.removeEventListener('abort', call);
    work.end();
    options.onWaiting();
  }

  function busy(problem: string, waitedMs?: number): AppError {
    refused += 1;
    return new AppError('SERVER_BUSY', {
      server,
      problem,
      waiting: line.size,
      maxWaiting: queue.maxWaiting,
      retryAfterMs: retryAfterMs(),
      ...(waitedMs !== undefined && { waitedMs }),
    });
  }

  /** When those who wait now will have had their turn, as far as that can be told. */
  function retryAfterMs(): number {
    const known = members.map(({ averageMs }) => averageMs).filter((averageMs) => averageMs > 0);
    const callMs = known.length === 0 ? guessedCallMs : known.reduce((sum, ms) => sum + ms, 0) / known.length;
    const waitMs = ((line.size + 1) * callMs) / (limit * Math.max(members.length, 1));
    return Math.round(Math.min(Math.max(waitMs, shortestRetryMs), longestRetryMs));
  }

  function wait(wish: Wish): Promise<Place> {
    const settle = Promise.withResolvers<Place>();
    const call: WaitingCall = {
      wish,
      priority: lowerPriority(queue.priority, wish.priority),
      settle,
      handleEvent() {
        leaveLine(call);
        settle.reject(new AppError('REQUEST_CANCELLED'));
      },
    };
    const out = line.add(call);
    if (out === call) return Promise.reject(busy(`${line.size} calls wait already`));
    if (out) {
      leaveLine(out);
      out.settle.reject(busy('more urgent calls took its place in the queue', 0));
    }
    wish.signal?.addEventListener('abort', call, { once: true });
    call.cancelTimer = clock.after(queue.maxWaitMs, () => {
      leaveLine(call);
      settle.reject(busy(`the call waited ${queue.maxWaitMs} ms`, queue.maxWaitMs));
    });
    work.begin();
    options.onWaiting();
    return settle.promise;
  }

  return {
    get hasRoom() {
      if (line.size > 0 || options.isHeld()) return false;
      const idle = idlest.pick();
      return idle !== undefined && idle.inFlight < limit;
    },
    limit,
    get waiting() {
      return line.size;
    },
    maxWaiting: queue.maxWaiting,
    get refused() {
      return refused;
    },
    take(wish) {
      options.admit();
      if (line.size === 0 && !options.isHeld()) {
        const member = memberWithRoom(wish);
        if (member) return placeIn(member, work);
      }
      if (wish.signal?.aborted === true) return Promise.reject(new AppError('REQUEST_CANCELLED'));
      return wait(wish);
    },
    fitnessChanged() {
      idlest.fitnessChanged();
      letIn();
    },
    loadChanged(member) {
      idlest.loadChanged(member);
      if (line.size > 0) letIn();
    },
    rejectAll(error) {
      for (let call = line.first(); call; call = line.first()) {
        leaveLine(call);
        call.settle.reject(error);
      }
    },
  };
}

function placeIn(member: PoolMember, work: InFlight): Place {
  let isOpen = true;
  member.reserve();
  return {
    async connect() {
      work.begin();
      try {
        return await member.acquire();
      } finally {
        work.end();
      }
    },
    begin() {
      const isFirst = isOpen;
      isOpen = false;
      return isFirst;
    },
    leave() {
      if (!isOpen) return;
      isOpen = false;
      member.release();
    },
  };
}
