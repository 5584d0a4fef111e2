/**
 * A person's leave for the gateway to use a server in their name: authorization code with PKCE (RFC 7636), registering the
 * gateway where it has no client id (RFC 7591). A try is single-use, ends after ten minutes, and belongs to one principal and
 * to the browser that it was begun in.
 */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { CredentialOwner, OAuthAuth } from '../../kernel/upstream-auth.ts';
import type { LocalSecrets } from '../local-secrets.ts';
import { httpFor, type ServerAuth, type UpstreamCredentials } from '../upstream-credentials.ts';
import { type Authorization, findAuthorization } from './find-authorization.ts';
import { type OAuthClient, requestToken } from './request-token.ts';

/** Where a try begins and where the authorization server sends the browser back to. */
export const signInPaths = { start: '/oauth/upstream/start', callback: '/oauth/upstream/callback' } as const;

export interface SignIns {
  /** A URL for the user's browser, and a promise of the end of it. */
  begin(
    server: ServerAuth,
    owner: CredentialOwner,
    principal: string,
  ): { readonly url: string; readonly done: Promise<void> };
  /** What the first page says and leads to; `cookie` is to be set in the browser. Throws STATE_EXPIRED. */
  start(ticket: string): Promise<{
    readonly server: string;
    readonly principal: string;
    readonly location: string;
    readonly cookie: string;
  }>;
  /** The browser is back. Throws STATE_EXPIRED for a try that is over or another browser's, CREDENTIALS_REFUSED. */
  finish(query: URLSearchParams, cookie: string | undefined): Promise<{ readonly server: string }>;
}

export interface SignInOptions {
  readonly credentials: Pick<UpstreamCredentials, 'keep'>;
  readonly local: LocalSecrets;
  readonly clock: Clock;
  /** Address of the coordinator as browsers reach it. */
  readonly baseUrl: () => string;
}

interface Try {
  readonly server: ServerAuth;
  readonly owner: CredentialOwner;
  readonly principal: string;
  readonly endsAtMs: number;
  readonly verifier: string;
  readonly cookie: string;
  readonly end: PromiseWithResolvers<void>;
  authorization?: Authorization;
  client?: OAuthClient;
}

const lifeMs = 600_000;
const maxTries = 10_000;
const random = () => randomBytes(32).toString('base64url');
const tenantOf = ({ tenant }: CredentialOwner, id: string) => ({
  tenant,
  owner: '',
  name: `upstream-client/${id}`,
});

function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a!, b!);
}

export function createSignIns({ credentials, local, clock, baseUrl }: SignInOptions): SignIns {
  const tries = new Map<string, Try>();
  const redirectUri = () => baseUrl() + signInPaths.callback;

  function sweep(): void {
    for (const [state, one] of tries) {
      if (one.endsAtMs > clock.now() && tries.size < maxTries) return;
      tries.delete(state);
      one.end.reject(new AppError('STATE_EXPIRED'));
    }
  }

  function find(state: string | null): Try {
    const one = tries.get(state ?? '');
    if (!one || one.endsAtMs <= clock.now()) throw new AppError('STATE_EXPIRED');
    return one;
  }

  async function clientOf({ server, owner }: Try, authorization: Authorization): Promise<OAuthClient> {
    const { clientId, clientSecret } = server.auth as OAuthAuth;
    if (clientId !== undefined) return { clientId, clientSecret };
    const place = tenantOf(owner, server.id);
    const registered = { issuer: authorization.issuer, redirectUri: redirectUri() };
    const kept = await local.find(place);
    if (kept) {
      const { client, ...of } = JSON.parse(kept.text) as typeof registered & { client: OAuthClient };
      if (JSON.stringify(of) === JSON.stringify(registered)) return client;
    }
    const client = await register(server, authorization);
    await local.set(place, JSON.stringify({ ...registered, client }));
    return client;
  }

  async function register(server: ServerAuth, { registrationEndpoint }: Authorization): Promise<OAuthClient> {
    const problem = 'it registers no clients; give auth.clientId';
    if (registrationEndpoint === undefined)
      throw new AppError('CREDENTIALS_REFUSED', { server: server.id, problem });
    const { status, body } = await httpFor(server)(registrationEndpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'git-memory-mcp',
        redirect_uris: [redirectUri()],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      }),
    });
    const { client_id: clientId, client_secret: clientSecret } = body;
    if (status >= 300 || typeof clientId !== 'string')
      throw new AppError('CREDENTIALS_REFUSED', {
        server: server.id,
        problem: `registration: it answers ${status}`,
      });
    return { clientId, ...(typeof clientSecret === 'string' && { clientSecret }) };
  }

  /** The server is asked without credentials first: its challenge says where its metadata are. */
  async function authorizationOf(server: ServerAuth): Promise<Authorization> {
    const http = httpFor(server);
    const { headers } = await http(server.url, { headers: { accept: 'text/event-stream' } });
    const { issuer, resource, scope } = server.auth as OAuthAuth;
    const challenge = String(headers['www-authenticate'] ?? '');
    return await findAuthorization(http, { url: server.url, challenge, issuer, resource, scope });
  }

  return {
    begin(server, owner, principal) {
      sweep();
      const ticket = random();
      const end = Promise.withResolvers<void>();
      end.promise.catch(() => {});
      const endsAtMs = clock.now() + lifeMs;
      tries.set(ticket, { server, owner, principal, endsAtMs, verifier: random(), cookie: random(), end });
      return { url: `${baseUrl()}${signInPaths.start}?ticket=${ticket}`, done: end.promise };
    },
    async start(ticket) {
      const one = find(ticket);
      const authorization = (one.authorization ??= await authorizationOf(one.server));
      const client = (one.client ??= await clientOf(one, authorization));
      const server = one.server.id;
      if (authorization.authorizationEndpoint === undefined)
        throw new AppError('CREDENTIALS_REFUSED', { server, problem: 'it has no authorization endpoint' });
      const url = new URL(authorization.authorizationEndpoint);
      const parameters = {
        response_type: 'code',
        client_id: client.clientId,
        redirect_uri: redirectUri(),
        state: ticket,
        code_challenge: createHash('sha256').update(one.verifier).digest('base64url'),
        code_challenge_method: 'S256',
        resource: authorization.resource,
        ...(authorization.scope !== undefined && { scope: authorization.scope }),
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return { server, principal: one.principal, location: url.href, cookie: one.cookie };
    },
    async finish(query, cookie) {
      const state = query.get('state');
      const one = find(state);
      const { server, authorization, client } = one;
      // Another browser has not begun it.
      if (cookie === undefined || !isSame(cookie, one.cookie) || !authorization || !client)
        throw new AppError('STATE_EXPIRED');
      tries.delete(state!);
      try {
        const issuer = query.get('iss');
        if (issuer !== null && issuer !== authorization.issuer)
          throw new AppError('CREDENTIALS_REFUSED', {
            server: server.id,
            problem: 'the answer is of another issuer',
          });
        const code = query.get('code');
        if (code === null) {
          const problem = (query.get('error') ?? 'no code').replaceAll(/[^\w .-]/g, '').slice(0, 100);
          throw new AppError('CREDENTIALS_REFUSED', { server: server.id, problem });
        }
        const grant = {
          grant_type: 'authorization_code',
          code,
          redirect_uri: redirectUri(),
          code_verifier: one.verifier,
        };
        const tokens = await requestToken(httpFor(server), authorization, client, grant, clock.now());
        await credentials.keep(server, one.owner, tokens, client);
        one.end.resolve();
        return { server: server.id };
      } catch (error) {
        one.end.reject(error);
        throw error;
      }
    },
  };
}
