/** One line of a diagnosis. */

/** The result of one check. */
export interface Finding {
  /** What was looked at, e.g. `port 3000`. */
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was found. */
  readonly detail: string;
  /** What to do about it. */
  readonly fix?: string;
}
