/** Failures counted by name, so that nobody tries for ever. In memory: a restart forgets them. */

import type { Clock } from '../../kernel/clock.ts';

export interface Attempts {
  /** Milliseconds until one more try is let through; 0 for now. */
  waitMs(names: readonly Bounded[]): number;
  /** Counts a try that failed. */
  fail(names: readonly Bounded[]): void;
  /** Forgets the failures under a name. */
  clear(name: string): void;
}

/** A name, and how many failures it may have in a window. */
export interface Bounded {
  readonly name: string;
  readonly most: number;
}

const maxNames = 20_000;

export function createAttempts(clock: Clock, windowMs: number): Attempts {
  const windows = new Map<string, { count: number; readonly endMs: number }>();

  function current(name: string): { count: number; readonly endMs: number } | undefined {
    const window = windows.get(name);
    if (!window || window.endMs > clock.now()) return window;
    windows.delete(name);
    return undefined;
  }

  return {
    waitMs: (names) =>
      Math.max(
        0,
        ...names.map(({ name, most }) => {
          const window = current(name);
          return window && window.count >= most ? window.endMs - clock.now() : 0;
        }),
      ),
    fail(names) {
      for (const { name } of names) {
        const window = current(name);
        if (window) window.count += 1;
        else windows.set(name, { count: 1, endMs: clock.now() + windowMs });
        // The oldest goes: whoever fills the table with names forgets his own first.
        if (windows.size > maxNames) windows.delete(windows.keys().next().value!);
      }
    },
    clear: (name) => void windows.delete(name),
  };
}
