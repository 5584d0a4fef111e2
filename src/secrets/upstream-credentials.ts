/**
 * What links to servers say of who we are: secrets of the store, and tokens of authorization servers. Only credentials that
 * were set or got for the gateway or for that user; the token that a client sent is not known here.
 */

import type { Clock } from '../kernel/clock.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import type { LinkCredentials } from '../kernel/link-credentials.ts';
import { localOwner } from '../kernel/principal.ts';
import type { SsrfPolicy } from '../kernel/ssrf-guard.ts';
import type { CredentialOwner, OAuthAuth, StaticAuth, UpstreamAuth } from '../kernel/upstream-auth.ts';
import type { LocalSecrets } from './local-secrets.ts';
import { type Authorization, findAuthorization } from './oauth/find-authorization.ts';
import { createGuardedHttp, type GuardedHttp } from './oauth/guarded-http.ts';
import { createKeptTokens, type KeptTokens } from './oauth/kept-tokens.ts';
import { requestToken, type TokenSet } from './oauth/request-token.ts';
import {
  createTokenCredentials,
  type RefreshOutcome,
  type TokenCredentials,
} from './oauth/token-credentials.ts';

/** A server that wants credentials. */
export interface ServerAuth {
  readonly id: string;
  readonly url: string;
  readonly auth: UpstreamAuth;
  /** Of a server that was added while the coordinator ran: they hold for its authorization server too. */
  readonly bounds?: SsrfPolicy | undefined;
}

/** What a user has to do before a call can be made. */
export type Need = { readonly kind: 'secret'; readonly secret: string } | { readonly kind: 'sign-in' };

export interface UpstreamCredentials {
  /** Of a link; `owner` is undefined for the one that belongs to nobody. */
  of(server: ServerAuth, owner: CredentialOwner | undefined): Promise<LinkCredentials>;
  /** Undefined, in nanoseconds, where nothing is missing as far as is known; else what is. */
  need(server: ServerAuth, owner: CredentialOwner): Promise<Need | undefined> | undefined;
  /** Keeps what a user has agreed to. */
  keep(
    server: ServerAuth,
    owner: CredentialOwner,
    tokens: TokenSet,
    client: KeptTokens['client'],
  ): Promise<void>;
  /** Secrets have changed: those of static headers are read again. */
  forgetSecrets(): void;
  /** Times at which tokens that are in use end, by server, milliseconds since the epoch; and how refreshes went. */
  readonly figures: {
    ends(): { readonly server: string; readonly endsAtMs: number }[];
    readonly refreshes: ReadonlyMap<string, ReadonlyMap<RefreshOutcome, number>>;
  };
}

export interface UpstreamCredentialsOptions {
  readonly local: LocalSecrets;
  readonly clock: Clock;
  /** Hears of each secret and token, so that logs leave them out. */
  readonly noted: (text: string) => void;
}

/** Whose of a principal's credentials a server is given. */
export function ownerFor(
  { whose }: UpstreamAuth,
  { tenant, id }: { readonly tenant: string; readonly id: string },
): CredentialOwner {
  if (whose === 'shared') return { tenant: localOwner.tenant, user: '' };
  return { tenant, user: whose === 'per-user' ? id : '' };
}

/** Hosts that the operator wrote down in the config may be off the public internet. */
export function httpFor({ url, auth, bounds }: ServerAuth): GuardedHttp {
  if (bounds) return createGuardedHttp(bounds);
  const { issuer, allowHosts } = auth as OAuthAuth;
  const named = [url, ...(issuer === undefined ? [] : [issuer])].map((one) => new URL(one).host);
  return createGuardedHttp({ allowHosts: [...named, ...allowHosts] });
}

interface Entry {
  readonly server: ServerAuth;
  readonly credentials: LinkCredentials & Partial<TokenCredentials>;
  /** Their leave was taken back. */
  isOver?: boolean;
}

/** The user has what it takes. */
function isComplete({ server, credentials, isOver }: Entry): boolean {
  if (server.auth.type === 'client-credentials') return true;
  return isOver !== true && Object.keys(credentials.headers).length > 0;
}

const maxEntries = 10_000;
const metadataMs = 3_600_000;

export function createUpstreamCredentials(options: UpstreamCredentialsOptions): UpstreamCredentials {
  const { local, clock, noted } = options;
  const kept = createKeptTokens(local);
  const entries = new Map<string, Entry>();
  const found = new Map<string, { readonly authorization: Authorization; readonly atMs: number }>();
  const refreshes = new Map<string, Map<RefreshOutcome, number>>();
  const keyOf = ({ id }: ServerAuth, { tenant, user }: CredentialOwner) => `${id} ${tenant} ${user}`;

  function count({ id }: ServerAuth, outcome: RefreshOutcome): void {
    const counts = refreshes.get(id) ?? new Map<RefreshOutcome, number>();
    refreshes.set(id, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
  }

  async function authorizationOf(server: ServerAuth, challenge?: string): Promise<Authorization> {
    const known = found.get(server.id);
    if (known && challenge === undefined && clock.now() - known.atMs < metadataMs) return known.authorization;
    const { issuer, resource, scope } = server.auth as OAuthAuth;
    const wish = { url: server.url, challenge, issuer, resource, scope };
    const authorization = await findAuthorization(httpFor(server), wish);
    found.set(server.id, { authorization, atMs: clock.now() });
    return authorization;
  }

  async function byClient(server: ServerAuth, auth: OAuthAuth, challenge?: string): Promise<TokenSet> {
    const authorization = await authorizationOf(server, challenge);
    const { clientId = '', clientSecret } = auth;
    const grant = { grant_type: 'client_credentials', scope: authorization.scope };
    return await requestToken(httpFor(server), authorization, { clientId, clientSecret }, grant, clock.now());
  }

  /** Another token by the refresh token. Where it is not good any more, the user is asked again at the next call. */
  async function byRefresh(
    server: ServerAuth,
    owner: CredentialOwner,
    former: TokenSet | undefined,
  ): Promise<TokenSet> {
    const entry = entries.get(keyOf(server, owner));
    const held = await kept.find(server.id, owner);
    // Another coordinator on this store was faster.
    if (held && held.tokens.gotAtMs > (former?.gotAtMs ?? 0)) return held.tokens;
    const refreshToken = held?.tokens.refreshToken;
    try {
      if (!held || refreshToken === undefined)
        throw new AppError('CREDENTIALS_REFUSED', {
          server: server.id,
          problem: 'there is no refresh token',
        });
      const authorization = await authorizationOf(server);
      const grant = { grant_type: 'refresh_token', refresh_token: refreshToken };
      const made = await requestToken(httpFor(server), authorization, held.client, grant, clock.now());
      const tokens = { ...made, refreshToken: made.refreshToken ?? refreshToken };
      await kept.put(server.id, owner, { ...held, tokens });
      return tokens;
    } catch (error) {
      if (isAppError(error, 'CREDENTIALS_REFUSED')) {
        await kept.remove(server.id, owner);
        if (entry) entry.isOver = true;
      }
      throw error;
    }
  }

  async function tokensOf(
    server: ServerAuth,
    auth: OAuthAuth,
    owner: CredentialOwner,
  ): Promise<TokenCredentials> {
    const isClient = auth.type === 'client-credentials';
    const held = isClient ? undefined : await kept.find(server.id, owner);
    if (held) note(held.tokens);
    return createTokenCredentials({
      clock,
      first: held?.tokens,
      async get(former, challenge) {
        const tokens = isClient
          ? await byClient(server, auth, challenge)
          : await byRefresh(server, owner, former);
        note(tokens);
        return tokens;
      },
      onRefresh: (outcome) => count(server, outcome),
    });
  }

  function note({ accessToken, refreshToken }: TokenSet): void {
    noted(accessToken);
    if (refreshToken !== undefined) noted(refreshToken);
  }

  async function secretOf(
    { secret }: StaticAuth,
    { tenant, user }: CredentialOwner,
  ): Promise<string | undefined> {
    const text = (await local.find({ tenant, owner: user, name: secret }))?.text;
    if (text !== undefined) noted(text);
    return text;
  }

  async function staticOf(
    server: ServerAuth,
    auth: StaticAuth,
    owner: CredentialOwner,
  ): Promise<LinkCredentials> {
    let text = await secretOf(auth, owner);
    const valueOf = (secret: string) => (auth.scheme === '' ? secret : `${auth.scheme} ${secret}`);
    let headers = text === undefined ? {} : { [auth.header]: valueOf(text) };
    return {
      get headers() {
        return headers;
      },
      prepare: () => (text === undefined ? Promise.reject(needed(server, auth.secret)) : undefined),
      async refused() {
        const former = text;
        text = await secretOf(auth, owner);
        headers = text === undefined ? {} : { [auth.header]: valueOf(text) };
        return text !== undefined && text !== former;
      },
    };
  }

  async function entryOf(server: ServerAuth, owner: CredentialOwner): Promise<Entry> {
    const key = keyOf(server, owner);
    const known = entries.get(key);
    if (known && known.server.auth === server.auth && isComplete(known)) return known;
    const { auth } = server;
    const credentials =
      auth.type === 'static' ? await staticOf(server, auth, owner) : await tokensOf(server, auth, owner);
    const entry: Entry = { server, credentials };
    entries.delete(key);
    entries.set(key, entry);
    if (entries.size > maxEntries) entries.delete(entries.keys().next().value!);
    return entry;
  }

  async function needOf(server: ServerAuth, owner: CredentialOwner): Promise<Need | undefined> {
    if (isComplete(await entryOf(server, owner))) return undefined;
    const { auth } = server;
    return auth.type === 'static' ? { kind: 'secret', secret: auth.secret } : { kind: 'sign-in' };
  }

  return {
    async of(server, owner) {
      const { whose } = server.auth;
      if (owner === undefined && whose !== 'shared') return nobodys(server);
      const by = owner ?? { tenant: localOwner.tenant, user: '' };
      return (await entryOf(server, by)).credentials;
    },
    need(server, owner) {
      const known = entries.get(keyOf(server, owner));
      const isKnown = known?.server.auth === server.auth && isComplete(known);
      return isKnown ? undefined : needOf(server, owner);
    },
    async keep(server, owner, tokens, client) {
      note(tokens);
      await kept.put(server.id, owner, { tokens, client });
      entries.delete(keyOf(server, owner));
    },
    forgetSecrets() {
      // Links that are open hold them: their next request has the new one.
      for (const { server, credentials } of entries.values())
        if (server.auth.type === 'static') void credentials.refused(undefined).catch(() => false);
    },
    figures: {
      ends: () =>
        [...entries.values()].flatMap(({ server, credentials: { endsAtMs } }) =>
          endsAtMs === undefined ? [] : [{ server: server.id, endsAtMs }],
        ),
      refreshes,
    },
  };
}

function needed({ id }: ServerAuth, secret: string): AppError {
  const problem = `the secret ${secret} is not there; set it with: git-memory-mcp secrets set ${secret}`;
  return new AppError('CREDENTIALS_NEEDED', { server: id, problem });
}

/** Of the connection that belongs to nobody, where each user or tenant has credentials: it has none. */
function nobodys({ id }: ServerAuth): LinkCredentials {
  const problem = 'each user or tenant has their own';
  return {
    headers: {},
    prepare: () => Promise.reject(new AppError('CREDENTIALS_NEEDED', { server: id, problem })),
    refused: async () => false,
  };
}
