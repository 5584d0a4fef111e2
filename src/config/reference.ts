/** A value that lives elsewhere. */

import { z } from 'zod';

const bareShapes = [
  z.strictObject({ env: z.string().min(1).describe('Name of an environment variable.') }),
  z.strictObject({ file: z.string().min(1).describe('Path of a file; relative to the config file.') }),
] as const;

/** A value that has to be there before any secret can be read: it opens the store or the vault. */
export const bareReferenceShape = z.union(bareShapes);

/** An environment variable, a file whose text (last line end removed) it is, or a secret of the store or a vault. */
export const referenceShape = z.union([
  ...bareShapes,
  z.strictObject({
    secret: z.string().min(1).describe('Name of a secret of the local store; see `secrets set`.'),
  }),
  z.strictObject({
    vault: z
      .strictObject({
        path: z.string().min(1).describe('Path of a secret in Vault or OpenBao (KV version 2).'),
        field: z.string().min(1).describe('Field of it.'),
        mount: z
          .string()
          .min(1)
          .optional()
          .describe('Where the engine is mounted. Default `secrets.vault.mount`.'),
      })
      .describe('A field of a secret in Vault or OpenBao.'),
  }),
]);
/** A parsed reference. */
export type Reference = z.infer<typeof referenceShape>;
