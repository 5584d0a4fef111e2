/** Counts work under way, so that whoever ends a thing can wait for it. */

export interface InFlight {
  readonly size: number;
  begin(): void;
  end(): void;
  /** Resolves when nothing is under way. */
  whenNone(): Promise<void>;
}

export function createInFlight(): InFlight {
  let size = 0;
  let none: PromiseWithResolvers<void> | undefined;
  return {
    get size() {
      return size;
    },
    begin() {
      size += 1;
    },
    end() {
      size -= 1;
      if (size > 0) return;
      none?.resolve();
      none = undefined;
    },
    whenNone() {
      if (size === 0) return Promise.resolve();
      none ??= Promise.withResolvers<void>();
      return none.promise;
    },
  };
}
