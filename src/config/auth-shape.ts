/** Who may come in, as the config says it. */

import { z } from 'zod';
import { roles } from '../kernel/roles.ts';

/** Whether callers have to say who they are. */
export const authModes = ['local', 'required'] as const;

const originShape = z
  .url({ protocol: /^https?$/ })
  .refine((text) => URL.parse(text)?.origin === text.replace(/\/$/, ''), 'must be an origin, without a path')
  .overwrite((text) => URL.parse(text)?.origin ?? text);

const oauthShape = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'Sign people in and give MCP clients tokens for them (OAuth 2.1). Needs `auth.mode: required`.',
    ),
  accessTokenMs: z
    .int()
    .min(60_000)
    .max(86_400_000)
    .default(600_000)
    .describe('An access token opens for so long, in milliseconds.'),
  refreshTokenMs: z
    .int()
    .min(600_000)
    .max(31_536_000_000)
    .default(2_592_000_000)
    .describe('A client that is silent so long has to ask its person again, in milliseconds.'),
  registration: z
    .boolean()
    .default(true)
    .describe('Let clients register themselves (RFC 7591). They get in only once a person lets them.'),
  clientDocuments: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('Take an https URL as the id of a client, and fetch there what the client says of itself.'),
      allowHosts: z
        .array(z.string().min(1))
        .default([])
        .describe(
          'Hosts that such documents may come from though they are not public: `name` or `name:port`.',
        ),
    })
    .prefault({})
    .describe('Client ID Metadata Documents.'),
});

const externalShape = z.strictObject({
  issuer: z
    .url({ protocol: /^https?$/ })
    .describe('Its issuer, exactly as in its metadata and in the `iss` of its tokens.'),
  audience: z.string().min(1).describe('What the `aud` of its tokens must name.'),
  jwksUri: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where its keys are; read from its metadata unless given.'),
  algorithms: z
    .array(z.enum(['EdDSA', 'ES256', 'ES384', 'PS256', 'RS256']))
    .min(1)
    .default(['EdDSA', 'ES256', 'PS256', 'RS256'])
    .describe('Signatures that are believed.'),
  roleClaim: z
    .string()
    .min(1)
    .default('roles')
    .describe('Claim with roles or groups; dots lead into objects, such as `realm_access.roles`.'),
  roles: z
    .record(z.string().min(1), z.enum(roles))
    .default({})
    .describe('Role for each value of that claim; a value that is not here must be the name of a role.'),
  defaultRole: z
    .enum(roles)
    .optional()
    .describe('Role of who has none of these; without it they do not come in.'),
});

export const authShape = z.strictObject({
  mode: z
    .enum(authModes)
    .default('local')
    .describe(
      '`local`: whoever reaches a loopback address is the owner. `required`: every request shows a key, see `keys create`, or a token; needed for any other address.',
    ),
  publicUrl: originShape
    .optional()
    .describe('Origin by which browsers and clients reach the gateway, where a proxy stands before it.')
    .meta({ examples: ['https://gateway.example.org'] }),
  oauth: oauthShape.prefault({}).describe('The authorization server of the gateway.'),
  external: externalShape
    .optional()
    .describe('An authorization server of your own (Entra, Okta, Keycloak) in place of that of the gateway.')
    .meta({ examples: [{ issuer: 'https://login.example.org', audience: 'https://gateway.example.org' }] }),
});
