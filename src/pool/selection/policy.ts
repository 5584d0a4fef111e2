/** One shape for every way to choose among equals; each policy is one file beside this one. */

export interface SelectionPolicy {
  readonly name: string;
  /** One of the candidates, or undefined when there is none. Must not keep references to them. */
  pick<T>(candidates: readonly T[]): T | undefined;
}
