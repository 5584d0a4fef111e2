/** `auth` of an entry of `mcpServers`: how the gateway says who it is to that server. */

import { z } from 'zod';
import { credentialUses } from '../kernel/upstream-auth.ts';
import { referenceShape } from './reference.ts';

const whose = z
  .enum(credentialUses)
  .default('shared')
  .describe(
    'Whose credentials are used: one set for all, one a tenant, or one a user, who then have connections of their own.',
  );

const staticShape = z.strictObject({
  type: z.literal('static').describe('A header from a secret.'),
  whose,
  secret: z
    .string()
    .min(1)
    .describe('Name of the secret of the local store; per user it is set with `secrets set --user`.'),
  header: z
    .string()
    .regex(/^[\w!#$%&'*+.^`|~-]+$/, { error: 'must be the name of a header' })
    .default('authorization')
    .describe('Header that it is sent in.'),
  scheme: z.string().max(32).default('Bearer').describe('Stands before it; empty for nothing.'),
});

const oauth = {
  scope: z.string().min(1).optional().describe('Scopes that are asked for, with spaces between.'),
  resource: z
    .url()
    .optional()
    .describe('Resource indicator (RFC 8707). Default: as the server says, else its URL.'),
  issuer: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Its authorization server. Default: as the server says (RFC 9728).'),
  allowHosts: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Hosts off the public internet that may be asked for tokens: `name`, `name:port`, `*.suffix` or an address.',
    ),
};

const clientCredentialsShape = z.strictObject({
  type: z.literal('client-credentials').describe('Tokens for the gateway itself (RFC 6749, section 4.4).'),
  whose: z.literal('shared').default('shared').describe('One token for all.'),
  clientId: z.string().min(1).describe('Id of the client.'),
  clientSecret: referenceShape.describe('Reference to its secret.'),
  ...oauth,
});

const authorizationCodeShape = z.strictObject({
  type: z.literal('authorization-code').describe('Tokens for a person, who agrees in a browser (with PKCE).'),
  whose: whose.unwrap().default('per-user'),
  clientId: z
    .string()
    .min(1)
    .optional()
    .describe('Id of the client; without one the gateway registers itself (RFC 7591).'),
  clientSecret: referenceShape.optional().describe('Reference to its secret, where it has one.'),
  ...oauth,
});

const noneShape = z.strictObject({ type: z.literal('none').describe('Nothing is sent.') });

/** One of four kinds. */
export const authShape = z.discriminatedUnion('type', [
  noneShape,
  staticShape,
  clientCredentialsShape,
  authorizationCodeShape,
]);
export type AuthConfig = z.output<typeof authShape>;
