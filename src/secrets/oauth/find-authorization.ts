/** Which authorization server a server takes tokens of: RFC 9728 metadata of the server, RFC 8414 metadata of the other. */

import { AppError, isAppError } from '../../kernel/errors.ts';
import type { JsonObject } from '../../kernel/json-rpc.ts';
import type { GuardedHttp } from './guarded-http.ts';

/** Where tokens come from, and for what. */
export interface Authorization {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly authorizationEndpoint: string | undefined;
  readonly registrationEndpoint: string | undefined;
  /** Resource indicator (RFC 8707). */
  readonly resource: string;
  /** Scopes that the server asks for, where it says so. */
  readonly scope: string | undefined;
  /** Ways in which a client may say who it is (RFC 8414, `token_endpoint_auth_methods_supported`). */
  readonly authMethods: readonly string[];
}

/** A parameter of a WWW-Authenticate challenge (RFC 9110, section 11.2). */
export function challengeParameter(challenge: string | undefined, name: string): string | undefined {
  const match = new RegExp(`(?:^|[\\s,])${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))`, 'i').exec(
    challenge ?? '',
  );
  return match ? (match[2] ?? match[1]?.replaceAll(/\\(.)/g, '$1')) : undefined;
}

const stringOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
const stringsOf = (value: unknown) =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

/** The name is put between the host and the path (RFC 8414, section 3.1), and behind the path as OpenID Connect has it. */
function wellKnown(url: URL, name: string, isBehind = false): string {
  const path = url.pathname.replace(/\/$/, '');
  return url.origin + (isBehind ? `${path}/.well-known/${name}` : `/.well-known/${name}${path}`);
}

async function firstFound(http: GuardedHttp, urls: readonly string[]): Promise<JsonObject | undefined> {
  for (const url of new Set(urls)) {
    const { status, body } = await http(url);
    if (status === 200 && Object.keys(body).length > 0) return body;
  }
  return undefined;
}

/** What the server says of itself; nothing where it says nothing. Throws UPSTREAM_PROTOCOL for what is of another server. */
async function resourceMetadata(
  http: GuardedHttp,
  url: URL,
  challenge: string | undefined,
): Promise<JsonObject> {
  const pointer = challengeParameter(challenge, 'resource_metadata');
  const name = 'oauth-protected-resource';
  const places = [wellKnown(url, name), `${url.origin}/.well-known/${name}`];
  const found = (await firstFound(http, pointer === undefined ? places : [pointer])) ?? {};
  const resource = stringOf(found['resource']);
  // RFC 9728, section 3.3: metadata of one resource must not be used for another.
  if (resource !== undefined && !covers(resource, url))
    throw new AppError('UPSTREAM_PROTOCOL', {
      server: url.host,
      problem: 'its metadata are of another resource',
    });
  return found;
}

/** True where the resource is the server's URL, or a path above it. */
function covers(resource: string, url: URL): boolean {
  const parsed = URL.parse(resource);
  const path = parsed?.pathname.replace(/\/$/, '') ?? '';
  return parsed?.origin === url.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`));
}

async function serverMetadata(http: GuardedHttp, issuer: string): Promise<JsonObject> {
  const url = new URL(issuer);
  const openId = 'openid-configuration';
  const places = [
    wellKnown(url, 'oauth-authorization-server'),
    wellKnown(url, openId),
    wellKnown(url, openId, true),
  ];
  const found = await firstFound(http, places);
  if (!found)
    throw new AppError('UPSTREAM_PROTOCOL', {
      server: url.host,
      problem: 'it has no authorization server metadata',
    });
  // RFC 8414, section 3.3.
  if (found['issuer'] !== issuer)
    throw new AppError('UPSTREAM_PROTOCOL', {
      server: url.host,
      problem: 'its metadata name another issuer',
    });
  return found;
}

/** Throws UPSTREAM_PROTOCOL where what is found cannot be used, FORBIDDEN for hosts that may not be asked. */
export async function findAuthorization(
  http: GuardedHttp,
  wish: {
    readonly url: string;
    readonly challenge?: string | undefined;
    readonly issuer?: string | undefined;
    readonly resource?: string | undefined;
    readonly scope?: string | undefined;
  },
): Promise<Authorization> {
  const url = new URL(wish.url);
  const needed = wish.issuer === undefined || wish.resource === undefined;
  const resource = needed
    ? await resourceMetadata(http, url, wish.challenge).catch((error: unknown): JsonObject => {
        if (wish.issuer === undefined || isAppError(error, 'UPSTREAM_PROTOCOL')) throw error;
        return {};
      })
    : {};
  const issuer = wish.issuer ?? stringsOf(resource['authorization_servers'])[0] ?? url.origin;
  const server = await serverMetadata(http, issuer);
  const tokenEndpoint = stringOf(server['token_endpoint']);
  if (tokenEndpoint === undefined)
    throw new AppError('UPSTREAM_PROTOCOL', {
      server: url.host,
      problem: 'its authorization server gives no tokens',
    });
  const scopes = stringsOf(resource['scopes_supported']).join(' ');
  const { origin, pathname, search } = url;
  return {
    issuer,
    tokenEndpoint,
    authorizationEndpoint: stringOf(server['authorization_endpoint']),
    registrationEndpoint: stringOf(server['registration_endpoint']),
    resource:
      wish.resource ??
      stringOf(resource['resource']) ??
      `${origin}${pathname === '/' ? '' : pathname}${search}`,
    scope: wish.scope ?? challengeParameter(wish.challenge, 'scope') ?? (scopes === '' ? undefined : scopes),
    authMethods: stringsOf(server['token_endpoint_auth_methods_supported']),
  };
}
