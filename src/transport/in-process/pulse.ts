/**
 * What a host thread shows while it may be too busy to speak, in memory that it shares with the main thread: that its
 * event loop turns, how many calls it has begun, and whose tool is running.
 */

const places = { beats: 0, begun: 1, running: 2 } as const;

/** The sign of the counter of calls begun: one cell, so that the last call has begun or has not. */
const sealed = -0x80000000;
const maxCount = 0x7fffffff;

/** The thread beats this often, milliseconds. */
export const beatMs = 250;

export interface Pulse {
  readonly memory: SharedArrayBuffer;
  /** The event loop has come round. */
  beat(): void;
  readonly beats: number;
  /** The next call is taken from the queue; false when it must not run, because it has gone elsewhere. */
  begin(): boolean;
  /** From now on no further call begins: what has not begun may run elsewhere, and must not run twice. */
  seal(): void;
  /** True when the call with this number, counted from 1 in the order of posting, was taken from the queue. */
  hasBegun(call: number): boolean;
  /** Runs a tool of a connection up to where it first waits for something. */
  run<T>(connection: number, task: () => T): T;
  /** The connection whose tool is running now; 0 when none is. */
  readonly running: number;
}

/** `memory` as the other thread made it; fresh when absent. */
export function createPulse(memory = new SharedArrayBuffer(16)): Pulse {
  const cells = new Int32Array(memory);
  return {
    memory,
    beat: () => void Atomics.add(cells, places.beats, 1),
    get beats() {
      return Atomics.load(cells, places.beats);
    },
    begin() {
      for (;;) {
        const begun = Atomics.load(cells, places.begun);
        if (begun < 0) return false;
        const next = (begun + 1) & maxCount;
        if (Atomics.compareExchange(cells, places.begun, begun, next) === begun) return true;
      }
    },
    seal: () => void Atomics.or(cells, places.begun, sealed),
    // The difference stays right when the counter of 31 bits has gone round.
    hasBegun: (call) => (call - (Atomics.load(cells, places.begun) & maxCount)) << 1 <= 0,
    run(connection, task) {
      Atomics.store(cells, places.running, connection);
      try {
        return task();
      } finally {
        Atomics.store(cells, places.running, 0);
      }
    },
    get running() {
      return Atomics.load(cells, places.running);
    },
  };
}
