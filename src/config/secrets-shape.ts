/** `secrets` in the config: where secrets are kept that others refer to by `{secret: name}` and `{vault: {path, field}}`. */

import { z } from 'zod';
import { bareReferenceShape } from './reference.ts';

const keyShape = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .optional()
      .describe('File of 32 bytes in base64 or hex; relative to the config file.'),
    env: z.string().min(1).optional().describe('Environment variable with the same.'),
    passphrase: bareReferenceShape
      .optional()
      .describe('Reference to a passphrase of 12 characters or more: `{env: NAME}` or `{file: path}`.'),
    transit: z
      .string()
      .min(1)
      .optional()
      .describe('Name of a key of the transit engine of `secrets.vault`, which wraps it.'),
  })
  .refine((key) => Object.keys(key).length === 1, {
    error: 'needs exactly one of file, env, passphrase and transit',
  });

const localShape = z.strictObject({
  key: keyShape
    .optional()
    .describe(
      'The master key: a file, an environment variable, a passphrase, or a key of transit. Default: a file that is made in the data folder.',
    )
    .meta({ examples: [{ env: 'GIT_MEMORY_SECRETS_KEY' }] }),
  versions: z.int().min(1).max(100).default(5).describe('Versions of each secret that are kept.'),
});

const appRoleShape = z.strictObject({
  roleId: bareReferenceShape.describe('Reference to the role id.'),
  secretId: bareReferenceShape.describe('Reference to the secret id.'),
  mount: z.string().min(1).default('approle').describe('Path that the method is mounted at.'),
});

/** How to reach a Vault or OpenBao. */
export const vaultShape = z
  .strictObject({
    address: z.url({ protocol: /^https?$/ }).describe('Its address, e.g. https://vault.example.org:8200.'),
    namespace: z.string().min(1).optional().describe('Namespace that everything is in.'),
    mount: z.string().min(1).default('secret').describe('Where its KV engine (version 2) is mounted.'),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe('File of the certificates that it is checked by, PEM; relative to the config file.'),
    token: bareReferenceShape.optional().describe('Reference to a token.'),
    appRole: appRoleShape.optional().describe('Log in as a machine: `roleId`, `secretId`.'),
    transitMount: z.string().min(1).default('transit').describe('Where its transit engine is mounted.'),
    refreshSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(60)
      .describe('Secrets that are in use are read again so often, in seconds.'),
    timeoutMs: z
      .int()
      .min(100)
      .max(120_000)
      .default(10_000)
      .describe('Longest time for one request, in milliseconds.'),
  })
  .refine(({ token, appRole }) => (token === undefined) !== (appRole === undefined), {
    error: 'needs exactly one of token and appRole',
  });

/** `secrets` in the config. */
export const secretsShape = z.strictObject({
  local: localShape.prefault({}).describe('The encrypted store in the data folder.'),
  vault: vaultShape
    .optional()
    .describe('A Vault or OpenBao; without it nothing can refer to one.')
    .meta({
      examples: [{ address: 'https://vault.example.org:8200', token: { env: 'VAULT_TOKEN' } }],
    }),
  warnDays: z
    .int()
    .min(0)
    .max(3650)
    .default(14)
    .describe('A secret that runs out in so many days is told of in the log.'),
});

export type SecretsConfig = z.output<typeof secretsShape>;
export type VaultConfig = z.output<typeof vaultShape>;
