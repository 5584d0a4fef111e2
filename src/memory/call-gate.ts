/** Lets calls pass side by side, and now and then one that must be alone. */

export interface CallGate {
  /** Runs `work` beside other calls; while one runs alone, it waits for that. */
  pass<T>(work: () => Promise<T>): Promise<T>;
  /** The same for whoever is inside until the answer is disposed. */
  enter(): Promise<Disposable>;
  /** Runs `work` when the calls under way have ended; calls that come meanwhile wait. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** True while somebody is inside, or alone, or waits for that. */
  readonly isBusy: boolean;
}

/** An open gate. */
export function createCallGate(): CallGate {
  const state: { closed: Promise<unknown> | undefined } = { closed: undefined };
  let active = 0;
  let whenEmpty: (() => void) | undefined;

  function leave(): void {
    active -= 1;
    if (active === 0) whenEmpty?.();
  }

  return {
    async enter() {
      while (state.closed) await state.closed.catch(() => {});
      active += 1;
      return { [Symbol.dispose]: leave };
    },
    async pass(work) {
      while (state.closed) await state.closed.catch(() => {});
      active += 1;
      try {
        return await work();
      } finally {
        leave();
      }
    },
    async alone(work) {
      // Nothing may come between the look and the closing, so there is no await but in the loop.
      while (state.closed) await state.closed.catch(() => {});
      const empty = new Promise<void>((resolve) => {
        whenEmpty = resolve;
      });
      if (active === 0) whenEmpty?.();
      const done = empty.then(work).finally(() => {
        state.closed = undefined;
        whenEmpty = undefined;
      });
      state.closed = done;
      return done;
    },
    get isBusy() {
      return active > 0 || state.closed !== undefined;
    },
  };
}
