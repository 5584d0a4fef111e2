/** How a commit from elsewhere gets into main. */

import type { TakeOutcome, TakeWish } from '../git/git-writer.ts';

/**
 * Brings a commit that is in the repository into main, by fast-forward or by a merge commit. `before` is what
 * the other side had when it was last seen: if the commit does not contain it any more, backup refs are made.
 */
export type Take = (commit: string, before?: string, wish?: TakeWish) => Promise<TakeOutcome>;
