/** People, their sessions and tokens, put together. Part of the composition root, like `coordinator.ts`. */

import type { Config } from './config/schema.ts';
import type { ListenOptions } from './http/listen.ts';
import { createCookies } from './http/people/cookies.ts';
import { createForwarded } from './http/forwarded.ts';
import { createPeopleEndpoint, errorPage } from './http/people/people-endpoint.ts';
import { createTokenCheck, type TokenCheck } from './identity/oauth/access-tokens.ts';
import { createAuthorizationServer } from './identity/oauth/authorization-server.ts';
import { createExternalVerify } from './identity/oauth/external-tokens.ts';
import { createBrowserSessions } from './identity/people/browser-sessions.ts';
import { openDirectory } from './identity/people/directory.ts';
import { assertCanHash } from './identity/people/password-hash.ts';
import { createSignIn } from './identity/people/sign-in.ts';
import { systemClock as clock } from './kernel/clock.ts';
import type { Logger } from './kernel/log.ts';
import { localOwner } from './kernel/principal.ts';
import type { Audit } from './open-audit.ts';
import type { Meters } from './metrics/create-meters.ts';
import type { Store } from './store/open-store.ts';

export interface People {
  readonly tokens: TokenCheck;
  /** What the listeners need of it. */
  readonly edge: Pick<
    ListenOptions,
    'people' | 'tokenSource' | 'publicUrl' | 'allowedHosts' | 'allowedOrigins'
  >;
  /** From now on the address is known. */
  listensAt(baseUrl: string): void;
  /** A new one-time link with which the first owner signs in; undefined when there is an owner. */
  ownerLink(): Promise<string | undefined>;
}

interface Base {
  readonly config: Config;
  /** Absolute. */
  readonly dataDir: string;
  readonly store: Store;
  readonly meters: Meters;
  readonly audit: Pick<Audit, 'note'> | undefined;
  readonly logger: Logger;
}

const { tenant } = localOwner;
const scopes = ['mcp'];

/** Undefined where the config wants none of it. */
export async function openPeople(parts: AsyncDisposableStack, base: Base): Promise<People | undefined> {
  const { external, oauth } = base.config.auth;
  if (external) return withExternal(base, external);
  return oauth.enabled ? await withOwn(parts, base) : undefined;
}

/** Names by which the gateway is reached: those of the config, and that of the proxy before it. */
function allowedNames({
  config,
}: Base): Pick<People['edge'], 'publicUrl' | 'allowedHosts' | 'allowedOrigins'> {
  const { publicUrl } = config.auth;
  const { allowedHosts, allowedOrigins } = config;
  if (publicUrl === undefined) return { publicUrl, allowedHosts, allowedOrigins };
  return {
    publicUrl,
    allowedHosts: [...allowedHosts, new URL(publicUrl).hostname],
    allowedOrigins: [...allowedOrigins, publicUrl],
  };
}

function withExternal(base: Base, external: NonNullable<Config['auth']['external']>): People {
  const tokens = createTokenCheck(createExternalVerify({ ...external, tenant, clock }), clock);
  return {
    tokens,
    edge: { ...allowedNames(base), tokenSource: { issuers: () => [external.issuer], scopes: [] } },
    listensAt() {},
    ownerLink: async () => undefined,
  };
}

/** An address for a browser: `0.0.0.0` and `::` are only for listening. */
function reachable(baseUrl: string): string {
  const url = new URL(baseUrl);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  return url.origin;
}

async function withOwn(parts: AsyncDisposableStack, base: Base): Promise<People> {
  const { config, dataDir, store, meters, logger } = base;
  assertCanHash();
  const names = allowedNames(base);
  let origin = names.publicUrl ?? '';
  const issuer = () => origin;
  const directory = parts.use(await openDirectory({ store, tenant, clock, logger }));
  const { addressOf } = createForwarded(config);
  const sessions = createBrowserSessions(store, tenant, clock);
  const cookies = createCookies(() => origin.startsWith('https:'));
  const signIn = createSignIn({
    users: store.users,
    directory,
    tenant,
    clock,
    onEvent({ action, outcome, user, address }) {
      if (action === 'sign-in') meters.onLogin(outcome);
      base.audit?.note({
        atMs: clock.now(),
        latencyMs: 0,
        way: 'web',
        principal: user && { id: `user:${user.id}`, tenant, role: user.role },
        action,
        target: user?.login ?? '',
        outcome: outcome === 'ok' ? 'ok' : 'refused',
        code: outcome === 'ok' ? undefined : outcome,
        details: { from: address },
      });
    },
  });

  /** Any name that the guard lets in may be in a token: what it is good for is checked against the Host. */
  function isOwnResource(resource: string): boolean {
    const url = URL.parse(resource);
    if (!url || url.search !== '' || url.username !== '' || !/^\/(?:mcp(?:\/.*)?)?$/.test(url.pathname))
      return false;
    if (url.origin === origin) return true;
    const isKnown = ['localhost', '127.0.0.1', '[::1]', ...names.allowedHosts].includes(url.hostname);
    return isKnown && url.protocol === new URL(origin).protocol;
  }

  const server = parts.use(
    createAuthorizationServer({
      records: store.oauthRecords,
      directory,
      tenant,
      clock,
      logger,
      dataDir,
      settings: config.auth.oauth,
      issuer,
      addressOf,
      isOwnResource,
      signedIn: async (request) => (await sessions.userOf(cookies.session(request)))?.id,
      errorPage,
      onToken: meters.onToken,
    }),
  );
  return {
    tokens: createTokenCheck((token) => server.verify(token), clock),
    edge: {
      ...names,
      tokenSource: { issuers: () => [origin], scopes },
      people: createPeopleEndpoint({ signIn, sessions, server, cookies, addressOf, logger }),
    },
    listensAt(baseUrl) {
      if (names.publicUrl === undefined) origin = reachable(baseUrl);
    },
    ownerLink: async () => (directory.hasOwner() ? undefined : origin + (await signIn.firstLink())),
  };
}
