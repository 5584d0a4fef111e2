/**
 * A circuit breaker: closed while things go well; open, so that no call goes through, after too many failures; half
 * open for one trial when its time is over. A trial that succeeds closes it, one that fails opens it for twice as long;
 * only a run of successes makes the time short again.
 */

import type { Clock } from '../../kernel/clock.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface Breaker {
  readonly state: BreakerState;
  /** Half open, and nobody is trying yet. */
  readonly mayTry: boolean;
  /** Failures in a row. */
  readonly failures: number;
  /** The trial begins; others wait for its end. */
  beginTrial(): void;
  /** The trial ended without saying anything, as when the client gave up. */
  abandonTrial(): void;
  succeed(): void;
  fail(): void;
  /** A new connection: what was counted does not speak of it. How long it was open is not forgotten. */
  reset(): void;
  close(): void;
}

export interface BreakerOptions {
  readonly clock: Clock;
  /** Failures in a row that open it. */
  readonly failures: number;
  readonly openMs: number;
  /** Its time is over: it is half open now. */
  readonly onChange: () => void;
}

/** Outcomes looked back on; half of them failures opens it too, though none came in a row. */
const windowSize = 20;
const maxOpenMs = 60_000;

export function createBreaker(options: BreakerOptions): Breaker {
  const { clock, onChange } = options;
  let state: BreakerState = 'closed';
  let failures = 0;
  let isTrying = false;
  let openings = 0;
  let successes = 0;
  let cancelTimer: (() => void) | undefined;
  /** True for a failure, newest last. */
  let outcomes: boolean[] = [];

  function moveTo(next: BreakerState): void {
    cancelTimer?.();
    cancelTimer = undefined;
    isTrying = false;
    if (state === next) return;
    state = next;
    onChange();
  }

  function open(): void {
    const openMs = Math.min(
      options.openMs * 2 ** Math.min(openings, 20),
      Math.max(maxOpenMs, options.openMs),
    );
    openings += 1;
    outcomes = [];
    moveTo('open');
    cancelTimer = clock.after(openMs, () => moveTo('half-open'));
  }

  function note(isFailure: boolean): void {
    outcomes.push(isFailure);
    if (outcomes.length > windowSize) outcomes.shift();
  }

  function isHalfBad(): boolean {
    return outcomes.length === windowSize && outcomes.filter(Boolean).length >= windowSize / 2;
  }

  return {
    get state() {
      return state;
    },
    get mayTry() {
      return state === 'half-open' && !isTrying;
    },
    get failures() {
      return failures;
    },
    beginTrial() {
      if (state !== 'half-open' || isTrying) return;
      isTrying = true;
      onChange();
    },
    abandonTrial() {
      if (!isTrying) return;
      isTrying = false;
      onChange();
    },
    succeed() {
      failures = 0;
      successes += 1;
      if (state === 'closed') note(false);
      if (successes >= windowSize) openings = 0;
      // Calls that went through though it is open, for want of another: a trial that nobody had to wait for.
      if (state === 'open') moveTo('half-open');
      else moveTo('closed');
    },
    fail() {
      failures += 1;
      successes = 0;
      if (state === 'closed') {
        note(true);
        if (failures >= options.failures || isHalfBad()) open();
      } else if (state === 'half-open') open();
    },
    reset() {
      failures = 0;
      outcomes = [];
      moveTo('closed');
    },
    close() {
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}
