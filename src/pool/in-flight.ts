/** Counts work under way, so that whoever ends a thing can wait for it. */

export interface InFlight {
  readonly size: number;
  /** Runs the task and counts it until it settles. */
  run<T>(task: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is under way. */
  whenNone(): Promise<void>;
}

export function createInFlight(): InFlight {
  let size = 0;
  let none = Promise.withResolvers<void>();
  return {
    get size() {
      return size;
    },
    async run(task) {
      size += 1;
      try {
        return await task();
      } finally {
        size -= 1;
        if (size === 0) {
          none.resolve();
          none = Promise.withResolvers<void>();
        }
      }
    },
    whenNone: () => (size === 0 ? Promise.resolve() : none.promise),
  };
}
