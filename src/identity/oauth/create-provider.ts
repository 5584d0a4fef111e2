/** oidc-provider, set up for MCP clients: authorization code with PKCE, for resources of this gateway only. */

import type { JWK } from 'jose';
import {
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider';
import type { SsrfGuard } from '../../kernel/ssrf-guard.ts';
import { settleClient } from './client-rules.ts';
import { fetchGuarded } from './guarded-fetch.ts';
import { type AdapterParts, createRecordAdapter } from './record-adapter.ts';

/** The one scope: to do what the person's role allows, at the resource that the token is for. */
export const scopeName = 'mcp';

/** A page for a browser, with the headers that belong to it. */
export interface ErrorPage {
  readonly headers: Record<string, string>;
  readonly text: string;
}

export interface ProviderParts extends AdapterParts {
  /** The origin by which clients know the gateway; also what signs the tokens' `iss`. */
  readonly issuer: string;
  /** The one that signs first. */
  readonly keys: readonly JWK[];
  readonly cookieSecret: string;
  readonly accessTokenMs: number;
  readonly refreshTokenMs: number;
  readonly allowsRegistration: boolean;
  /** Guards fetches of clients' documents; without it none are fetched. */
  readonly documentGuard: SsrfGuard | undefined;
  /** False for who had many documents fetched already. */
  mayFetch(request: KoaContextWithOIDC['req']): boolean;
  /** True for a URL that is this gateway's `/mcp`, something below it, or its origin. */
  isOwnResource(resource: string): boolean;
  /** True for a person who may come in. */
  isPerson(userId: string): boolean;
  /** A page for the browser that asks: what went wrong, in the words of RFC 6749. */
  errorPage(request: KoaContextWithOIDC['req'], error: string, description: string): ErrorPage;
  /** Who is signed in with the browser that asks. */
  signedIn(request: KoaContextWithOIDC['req']): Promise<string | undefined>;
}

const dayS = 86_400;
const seconds = (ms: number) => Math.max(1, Math.round(ms / 1000));

/** A session of the library counts only while the browser is signed in with us as the same person. */
function createPolicy(parts: ProviderParts): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  policy.get('login')?.checks.add(
    new interactionPolicy.Check('signed_in', 'nobody is signed in', async ({ req, oidc }) => {
      const { REQUEST_PROMPT, NO_NEED_TO_PROMPT } = interactionPolicy.Check;
      const userId = await parts.signedIn(req);
      return userId !== undefined && userId === oidc.session?.accountId ? NO_NEED_TO_PROMPT : REQUEST_PROMPT;
    }),
  );
  return policy;
}

/** Leave that the person gave this client before, in any browser. */
async function findGrant(ctx: KoaContextWithOIDC, { records, tenant }: ProviderParts) {
  const { provider, session, client, result } = ctx.oidc;
  const given = result?.consent?.grantId;
  if (given !== undefined) return await provider.Grant.find(given);
  if (session?.accountId === undefined) return undefined;
  const grants = await records.grantsOf(tenant, session.accountId);
  const former = grants.find(({ clientId }) => clientId === client?.clientId);
  return former && (await provider.Grant.find(former.id));
}

function configuration(parts: ProviderParts): Configuration {
  const resource = `${parts.issuer}/mcp`;
  return {
    adapter: (model: string) => createRecordAdapter(model, parts),
    jwks: { keys: [...parts.keys] },
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: 'EdDSA',
    },
    clientAuthMethods: ['none', 'private_key_jwt'],
    responseTypes: ['code'],
    pkce: { required: () => true },
    scopes: [scopeName, 'offline_access', 'openid'],
    claims: { openid: ['sub'] },
    cookies: {
      keys: [parts.cookieSecret],
      names: { session: 'gmm_oauth_session', interaction: 'gmm_oauth_step', resume: 'gmm_oauth_resume' },
      long: { signed: true, httpOnly: true, sameSite: 'lax' },
      short: { signed: true, httpOnly: true, sameSite: 'lax' },
    },
    routes: {
      authorization: '/oauth/authorize',
      token: '/oauth/token',
      jwks: '/oauth/jwks',
      registration: '/oauth/register',
      revocation: '/oauth/revoke',
      end_session: '/oauth/end',
    },
    interactions: {
      policy: createPolicy(parts),
      url: async (_ctx, { uid }) => `/oauth/interaction/${uid}`,
    },
    ttl: {
      AccessToken: seconds(parts.accessTokenMs),
      AuthorizationCode: 60,
      RefreshToken: seconds(parts.refreshTokenMs),
      Grant: 365 * dayS,
      Interaction: 3600,
      Session: dayS,
      IdToken: 3600,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      revocation: { enabled: true, allowedPolicy: async () => true },
      registration: { enabled: parts.allowsRegistration, issueRegistrationAccessToken: false },
      clientIdMetadataDocument: {
        enabled: parts.documentGuard !== undefined,
        ack: 'draft-02',
        allowFetch: async ({ req }) => parts.mayFetch(req),
        cacheDuration: { min: 60, max: dayS },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_ctx, _client, oneOf) => oneOf?.[0] ?? resource,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, wanted) => {
          if (!parts.isOwnResource(wanted))
            throw new errors.InvalidTarget('this gateway has no such resource');
          return {
            scope: scopeName,
            audience: wanted,
            accessTokenFormat: 'jwt',
            accessTokenTTL: seconds(parts.accessTokenMs),
            jwt: { sign: { alg: 'EdDSA' } },
          };
        },
      },
    },
    extraTokenClaims: async (_ctx, token) => ('grantId' in token ? { grant: token.grantId } : {}),
    extraClientMetadata: {
      // One name, so that the check runs once; what it checks is the whole.
      properties: ['software_id'],
      validator: (_ctx, _key, _value, metadata) => settleClient(metadata),
    },
    enabledJWA: { idTokenSigningAlgValues: ['EdDSA'] },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: async () => false,
    loadExistingGrant: (ctx) => findGrant(ctx, parts),
    findAccount: async (_ctx, sub) =>
      parts.isPerson(sub) ? { accountId: sub, claims: async () => ({ sub }) } : undefined,
    clientBasedCORS: () => true,
    fetch: (url, _options) => {
      if (!parts.documentGuard) throw new Error('no documents of clients are fetched');
      return fetchGuarded(parts.documentGuard, url instanceof Request ? url.url : url.toString());
    },
    renderError: async (ctx, out) => {
      ctx.type = 'html';
      const { headers, text } = parts.errorPage(ctx.req, out.error, out.error_description ?? '');
      ctx.set(headers);
      ctx.body = text;
    },
  };
}

/** Sets it up; it holds nothing that needs closing. */
export function createProvider(parts: ProviderParts): Provider {
  const provider = new Provider(parts.issuer, configuration(parts));
  // Addresses are those of the issuer, whatever name the request came by; see `serve` of the authorization server.
  provider.proxy = true;
  return provider;
}
