/** `store` in the config: where the state is that is not memory. */

import { z } from 'zod';
import { referenceShape } from './reference.ts';

/** SQLite in the data folder while it is absent. */
export const storeShape = z.strictObject({
  url: referenceShape.describe(
    'Reference to the address, `postgresql://user:password@host:5432/database`; `?sslmode=verify-full` for TLS.',
  ),
  poolSize: z.int().min(1).max(1000).default(10).describe('Most connections at a time.'),
});
