/** What a client without a key is told: the challenge of RFC 6750, and the metadata that it points to (RFC 9728). */

import type { IncomingMessage } from 'node:http';
import { product } from '../kernel/product.ts';

const wellKnown = '/.well-known/oauth-protected-resource';

type Scheme = 'http' | 'https';

/** The origin as the client knows it; its Host header has passed the guard. */
export type OriginOf = (request: IncomingMessage) => string;

/** `publicUrl` is how clients reach a gateway behind a proxy that speaks https for it. */
export function createOriginOf(
  publicUrl?: string,
  schemeOf: (request: IncomingMessage) => Scheme = ({ socket }) => ('encrypted' in socket ? 'https' : 'http'),
): OriginOf {
  const known = publicUrl === undefined ? undefined : new URL(publicUrl);
  return (request) => {
    const { host } = request.headers;
    if (known && host === known.host) return known.origin;
    return `${schemeOf(request)}://${host ?? 'localhost'}`;
  };
}

/** Where clients get tokens, where they can. */
export interface TokenSource {
  /** Issuers (RFC 8414). */
  readonly issuers: () => readonly string[];
  readonly scopes: readonly string[];
}

/** The value of WWW-Authenticate for a path; Git asks its user for a password only when Basic is offered. */
export function challengeFor(request: IncomingMessage, path: string, originOf: OriginOf): string[] {
  const resource = path.startsWith('/mcp') ? path.replaceAll(/["\\]/g, encodeURIComponent) : '';
  const bearer = `Bearer resource_metadata="${originOf(request)}${wellKnown}${resource}"`;
  return path.startsWith('/git/') ? [bearer, `Basic realm="${product.name}"`] : [bearer];
}

/** The metadata document for a path below the well-known one; undefined for any other path. */
export function resourceMetadata(
  request: IncomingMessage,
  path: string,
  originOf: OriginOf,
  source?: TokenSource,
): Record<string, unknown> | undefined {
  if (path !== wellKnown && !path.startsWith(`${wellKnown}/`)) return undefined;
  return {
    resource: originOf(request) + path.slice(wellKnown.length),
    resource_name: product.name,
    bearer_methods_supported: ['header'],
    ...(source && { authorization_servers: source.issuers(), scopes_supported: source.scopes }),
  };
}
