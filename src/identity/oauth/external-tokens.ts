/** Access tokens of an authorization server that is not ours: Entra, Okta, Keycloak. */

import { createRemoteJWKSet, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { isJsonObject } from '../../kernel/json-rpc.ts';
import type { Principal } from '../../kernel/principal.ts';
import { isRole, type Role, roles } from '../../kernel/roles.ts';
import { type CheckedToken, verifyJwt } from './access-tokens.ts';

export interface ExternalServer {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUri?: string | undefined;
  readonly algorithms: readonly string[];
  readonly roleClaim: string;
  readonly roles: Readonly<Record<string, Role>>;
  readonly defaultRole?: Role | undefined;
  readonly tenant: string;
  readonly clock: Clock;
}

const metadataShape = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
const timeoutMs = 5000;

/** Where its metadata may be: OpenID Connect Discovery, RFC 8414 with the path behind, and before. */
function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

async function findKeys({ issuer, jwksUri }: ExternalServer): Promise<JWTVerifyGetKey> {
  if (jwksUri !== undefined) return createRemoteJWKSet(new URL(jwksUri), { timeoutDuration: timeoutMs });
  for (const url of metadataUrls(issuer)) {
    const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    const metadata = answer.ok ? metadataShape.safeParse(await answer.json()) : undefined;
    // Metadata of another issuer would bring that one's keys (RFC 8414, 3.3).
    if (metadata?.success === true && metadata.data.issuer === issuer)
      return createRemoteJWKSet(new URL(metadata.data.jwks_uri), { timeoutDuration: timeoutMs });
  }
  throw new AppError('UPSTREAM_UNAVAILABLE', {
    server: issuer,
    problem: 'it has no metadata of this issuer',
  });
}

/** The values of a claim; dots lead into objects. */
function valuesOf(payload: JWTPayload, claim: string): string[] {
  let value: unknown = payload[claim];
  if (value === undefined)
    value = claim.split('.').reduce<unknown>((at, key) => (isJsonObject(at) ? at[key] : undefined), payload);
  const list = Array.isArray(value) ? value : typeof value === 'string' ? value.split(' ') : [];
  return list.filter((one) => typeof one === 'string');
}

/** The mightiest role that the claim's values stand for. */
export function roleIn(
  payload: JWTPayload,
  server: Pick<ExternalServer, 'roleClaim' | 'roles' | 'defaultRole'>,
): Role | undefined {
  const found = valuesOf(payload, server.roleClaim).flatMap((value) => {
    const mapped = Object.hasOwn(server.roles, value) ? server.roles[value] : value;
    return mapped !== undefined && isRole(mapped) ? [mapped] : [];
  });
  return roles.find((role) => found.includes(role)) ?? server.defaultRole;
}

/** Believes its tokens; its keys are fetched at the first one, and again when a token names another. */
export function createExternalVerify(
  server: ExternalServer,
): (token: string) => Promise<CheckedToken | undefined> {
  let keys: Promise<JWTVerifyGetKey> | undefined;

  return async (token) => {
    keys ??= findKeys(server).catch((error: unknown) => {
      keys = undefined;
      throw error;
    });
    const payload = await verifyJwt(token, await keys, server);
    const role = roleIn(payload, server);
    if (role === undefined || !payload.audiences.includes(server.audience)) return undefined;
    const principal: Principal = { id: `external:${payload.sub}`, tenant: server.tenant, role };
    return { audiences: undefined, expiresAtMs: payload.exp * 1000, principal: () => principal };
  };
}
