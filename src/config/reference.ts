/** A value that lives elsewhere. */

import { z } from 'zod';

/** An environment variable, or a file whose text (last line end removed) it is. */
export const referenceShape = z.union([
  z.strictObject({ env: z.string().min(1).describe('Name of an environment variable.') }),
  z.strictObject({ file: z.string().min(1).describe('Path of a file; relative to the config file.') }),
]);
/** A parsed reference. */
export type Reference = z.infer<typeof referenceShape>;
