/** Shapes of SQLite values in tool arguments and answers. */

import { z } from 'zod';

/** A pattern and not a `format`: strict clients warn of formats they do not know. */
const blobShape = z.strictObject({
  base64: z
    .string()
    .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, {
      error: 'must be Base64 with padding',
    })
    .describe('Bytes of a BLOB in Base64.'),
});
const integerShape = z.strictObject({
  integer: z
    .string()
    .regex(/^-?\d{1,19}$/)
    .describe('A 64-bit integer in decimal, for values beyond 2^53.'),
});

/** A value to bind. */
export const inputValueShape = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.null(),
  blobShape,
  integerShape,
]);

/** A value that came back. */
export const outputValueShape = z.union([z.string(), z.number(), z.null(), blobShape, integerShape]);
