/**
 * Who waits for a place, in three classes of priority. Within a class the first comes first; between classes turns are
 * given by weight, so that the urgent go ahead and nobody waits for ever. All operations are O(1).
 */

import { priorities, type Priority } from '../../kernel/pool-options.ts';

/** One that waits: made by `createWaitLine`'s caller, linked by it. */
export interface Waiter {
  readonly priority: Priority;
  before?: Waiter | undefined;
  after?: Waiter | undefined;
  isWaiting?: boolean;
}

export interface WaitLine<W extends Waiter> {
  readonly size: number;
  /**
   * Adds one. Where the line is full, the newest of the least urgent class that has more than its share gets no place: it is
   * returned, and is the newcomer itself more often than not.
   */
  add(waiter: W): W | undefined;
  /** Whose turn it is. */
  first(): W | undefined;
  /** Takes one out; of no effect for one that does not wait. `isServed` counts as a turn of its class. */
  remove(waiter: W, isServed?: boolean): void;
}

/** Turns and places of each class; what one leaves unused is for the others. */
const weights: Readonly<Record<Priority, number>> = { high: 16, normal: 4, low: 1 };
const allWeights = priorities.reduce((sum, priority) => sum + weights[priority], 0);

interface Class<W> {
  readonly stride: number;
  readonly share: number;
  head: W | undefined;
  tail: W | undefined;
  size: number;
  /** When its next turn is due, in strides: the class with the least is next. */
  due: number;
}

export function createWaitLine<W extends Waiter>(maxWaiting: number): WaitLine<W> {
  const classes = priorities.map((priority): Class<W> => ({
    stride: allWeights / weights[priority],
    share: Math.max(Math.floor((maxWaiting * weights[priority]) / allWeights), 1),
    head: undefined,
    tail: undefined,
    size: 0,
    due: 0,
  }));
  let size = 0;
  /** When the last turn was due: a class that was empty has saved nothing up. */
  let turn = 0;

  const classOf = ({ priority }: Waiter): Class<W> => classes[priorities.indexOf(priority)]!;

  function append(waiter: W): void {
    const own = classOf(waiter);
    if (own.size === 0) own.due = Math.max(own.due, turn + own.stride);
    waiter.before = own.tail;
    waiter.after = undefined;
    waiter.isWaiting = true;
    if (own.tail) own.tail.after = waiter;
    else own.head = waiter;
    own.tail = waiter;
    own.size += 1;
    size += 1;
  }

  function remove(waiter: W, isServed = false): void {
    if (waiter.isWaiting !== true) return;
    const own = classOf(waiter);
    if (waiter.before) waiter.before.after = waiter.after;
    else own.head = waiter.after as W | undefined;
    if (waiter.after) waiter.after.before = waiter.before;
    else own.tail = waiter.before as W | undefined;
    waiter.before = undefined;
    waiter.after = undefined;
    waiter.isWaiting = false;
    own.size -= 1;
    size -= 1;
    if (!isServed) return;
    turn = own.due;
    own.due += own.stride;
  }

  /** The least urgent class that would have more than its share. */
  function crowded(newcomer: Class<W>): Class<W> | undefined {
    return classes.findLast((one) => one.size + (one === newcomer ? 1 : 0) > one.share);
  }

  return {
    get size() {
      return size;
    },
    add(waiter) {
      if (size < maxWaiting) {
        append(waiter);
        return undefined;
      }
      const own = classOf(waiter);
      const fullest = crowded(own);
      const out = fullest === undefined || fullest === own ? undefined : fullest.tail;
      if (!out) return waiter;
      remove(out);
      append(waiter);
      return out;
    },
    first() {
      let next: Class<W> | undefined;
      for (const one of classes) if (one.size > 0 && (next === undefined || one.due < next.due)) next = one;
      return next?.head;
    },
    remove,
  };
}
