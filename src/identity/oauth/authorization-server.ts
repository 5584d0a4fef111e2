/** The authorization server as the rest of the gateway sees it; what does the work is loaded at the first request. */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createLocalJWKSet } from 'jose';
import type { Provider } from 'oidc-provider';
import type { Clock } from '../../kernel/clock.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import { createSsrfGuard } from '../../kernel/ssrf-guard.ts';
import type { OauthRecords } from '../../store/oauth-records.ts';
import { createAttempts } from '../people/attempts.ts';
import type { Directory } from '../people/directory.ts';
import { type CheckedToken, verifyJwt } from './access-tokens.ts';
import { type ConsentStep, openStep } from './consent-step.ts';
import type { ErrorPage } from './create-provider.ts';
import { loadSigningKeys } from './signing-keys.ts';

/** A client that a person let in. */
export interface GivenLeave {
  readonly id: string;
  readonly clientId: string;
  /** As it calls itself. */
  readonly clientName: string;
  readonly givenAt: string;
}

export interface AuthorizationServer extends Disposable {
  /** Answers what is below `/oauth/`, interactions aside, and the metadata documents. */
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** What the person in this browser is asked. Throws NOT_FOUND when that is over. */
  step(request: IncomingMessage, response: ServerResponse): Promise<ConsentStep>;
  leaves(userId: string): Promise<GivenLeave[]>;
  /** Ends a client's leave, and with it its tokens. */
  revoke(userId: string, grantId: string): Promise<void>;
  /** Believes a token that was made here, or throws. */
  verify(token: string): Promise<CheckedToken | undefined>;
}

export interface AuthorizationServerParts {
  readonly records: OauthRecords;
  readonly directory: Directory;
  readonly tenant: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dataDir: string;
  readonly settings: {
    readonly accessTokenMs: number;
    readonly refreshTokenMs: number;
    readonly registration: boolean;
    readonly clientDocuments: { readonly enabled: boolean; readonly allowHosts: readonly string[] };
  };
  /** The origin by which clients know the gateway; known once it listens. */
  readonly issuer: () => string;
  readonly isOwnResource: (resource: string) => boolean;
  /** Where a request comes from, past trusted proxies. */
  readonly addressOf: (request: IncomingMessage) => string;
  readonly signedIn: (request: IncomingMessage) => Promise<string | undefined>;
  readonly errorPage: (request: IncomingMessage, error: string, description: string) => ErrorPage;
  /** Hears of each token that was issued: `access` or `refresh`. */
  readonly onToken?: ((kind: 'access' | 'refresh') => void) | undefined;
}

const dayMs = 86_400_000;
const unusedClientMs = 7 * dayMs;
const hourMs = 3_600_000;
const registrationsAnHour = 60;
const fetchesAnHour = 60;
const maxClients = 10_000;

interface Running {
  readonly provider: Provider;
  readonly keySet: ReturnType<typeof createLocalJWKSet>;
}

/** The issuer's address in place of the one that was asked, whatever the client claims. */
function asIssuer(request: IncomingMessage, issuer: string): void {
  const { protocol, host } = new URL(issuer);
  delete request.headers['x-forwarded-for'];
  request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
  request.headers['x-forwarded-host'] = host;
}

/** Clients that name no scope, or scopes that we do not know, mean the one that there is. */
function withScope(url: string): string {
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  if (path !== '/oauth/authorize') return url;
  const parameters = new URLSearchParams(query);
  const scopes = (parameters.get('scope') ?? '').split(' ').filter((one) => one !== '');
  if (scopes.includes('mcp') || parameters.getAll('scope').length > 1) return url;
  parameters.set('scope', ['mcp', ...scopes].join(' '));
  return `${path}?${parameters.toString()}`;
}

export function createAuthorizationServer(parts: AuthorizationServerParts): AuthorizationServer {
  const { records, directory, tenant, clock, logger, settings } = parts;
  const cookieSecret = randomBytes(32).toString('base64url');
  const registrations = createAttempts(clock, hourMs);
  const fetches = createAttempts(clock, hourMs);
  /** What proxies say of a request is taken out of it before the library sees it. */
  const addresses = new WeakMap<IncomingMessage, string>();
  const { enabled, allowHosts } = settings.clientDocuments;
  let running: Promise<Running> | undefined;
  let cancel = () => {};

  function mayFetch(request: IncomingMessage): boolean {
    const names = [{ name: addresses.get(request) ?? '', most: fetchesAnHour }];
    if (fetches.waitMs(names) > 0) return false;
    fetches.fail(names);
    return true;
  }

  async function run(): Promise<Running> {
    const { createProvider } = await import('./create-provider.ts');
    const keys = await loadSigningKeys(parts.dataDir, clock);
    const provider = createProvider({
      ...parts,
      ...settings,
      issuer: parts.issuer(),
      keys,
      cookieSecret,
      allowsRegistration: settings.registration,
      documentGuard: enabled ? createSsrfGuard({ allowHosts }) : undefined,
      mayFetch,
      isPerson: (userId) => directory.principalOf(userId) !== undefined,
    });
    provider.on('access_token.issued', () => parts.onToken?.('access'));
    provider.on('refresh_token.saved', () => parts.onToken?.('refresh'));
    provider.on('server_error', (_ctx, error) =>
      logger.error({ err: error }, 'the authorization server failed'),
    );
    const publicKeys = keys.map(({ kty, crv, x, kid, alg, use }) => ({ kty, crv, x, kid, alg, use }));
    return { provider, keySet: createLocalJWKSet({ keys: publicKeys }) };
  }

  function start(): Promise<Running> {
    // A start that failed is tried again by the next request.
    running ??= run().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  }

  /** Each day: a key that is due is replaced, and what is over is forgotten. */
  function tidyOn(): void {
    cancel = clock.after(dayMs, () => {
      const now = clock.now();
      records
        .sweep(new Date(now).toISOString(), new Date(now - unusedClientMs).toISOString())
        .then(() => directory.refresh())
        .catch((error: unknown) => logger.warn({ problem: messageOf(error) }, 'old tokens were not removed'));
      running = undefined;
      tidyOn();
    });
  }
  tidyOn();

  async function assertMayRegister(request: IncomingMessage): Promise<void> {
    const names = [{ name: parts.addressOf(request), most: registrationsAnHour }];
    if (registrations.waitMs(names) > 0 || (await records.countOf(tenant, 'Client')) >= maxClients)
      throw new AppError('OVERLOADED', { problem: 'too many clients were registered; try again later' });
    registrations.fail(names);
  }

  async function leaves(userId: string): Promise<GivenLeave[]> {
    const { provider } = await start();
    const grants = await records.grantsOf(tenant, userId);
    return await Promise.all(
      grants.map(async ({ id, clientId, createdAt }) => {
        const client = await provider.Client.find(clientId ?? '').catch(() => undefined);
        const clientName = client?.clientName ?? clientId ?? id;
        return { id, clientId: clientId ?? '', clientName, givenAt: createdAt };
      }),
    );
  }

  return {
    async serve(request, response) {
      const { provider } = await start();
      if (request.url?.startsWith('/oauth/register') === true) await assertMayRegister(request);
      addresses.set(request, parts.addressOf(request));
      asIssuer(request, parts.issuer());
      request.url = withScope(request.url ?? '/');
      await provider.callback()(request, response);
    },
    async step(request, response) {
      const { provider } = await start();
      addresses.set(request, parts.addressOf(request));
      asIssuer(request, parts.issuer());
      return await openStep(provider, request, response);
    },
    leaves,
    async revoke(userId, grantId) {
      const grant = (await records.grantsOf(tenant, userId)).find(({ id }) => id === grantId);
      if (!grant) return;
      directory.removeGrant(grantId);
      await records.remove(tenant, 'Grant', grantId);
      for (const model of ['RefreshToken', 'AuthorizationCode'])
        await records.removeOfGrant(tenant, model, grantId);
    },
    async verify(token) {
      const { keySet } = await start();
      const expected = { issuer: parts.issuer(), algorithms: ['EdDSA'], type: 'at+jwt', clock };
      const { sub = '', exp, audiences, grant } = await verifyJwt(token, keySet, expected);
      if (typeof grant !== 'string') return undefined;
      return {
        audiences,
        expiresAtMs: exp * 1000,
        principal: () => (directory.hasGrant(grant) ? directory.principalOf(sub) : undefined),
      };
    },
    [Symbol.dispose]: () => cancel(),
  };
}
