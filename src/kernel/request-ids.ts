/** Request ids: short, in rising order, and different in every process. */

import { randomBytes } from 'node:crypto';

/** A source of ids such as `k3f9a2-1c`; nothing in them can be guessed into another process's. */
export function createRequestIds(): () => string {
  const run = randomBytes(4).toString('hex');
  let count = 0;
  return () => `${run}-${(count += 1).toString(36)}`;
}
