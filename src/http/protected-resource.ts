/** What a client without a key is told: the challenge of RFC 6750, and the metadata that it points to (RFC 9728). */

import type { IncomingMessage } from 'node:http';
import { product } from '../kernel/product.ts';

const wellKnown = '/.well-known/oauth-protected-resource';

type Scheme = 'http' | 'https';

/** The origin as the client knows it; its Host header has passed the guard. */
function originOf({ headers }: IncomingMessage, scheme: Scheme): string {
  return `${scheme}://${headers.host ?? 'localhost'}`;
}

/** The value of WWW-Authenticate for a path; Git asks its user for a password only when Basic is offered. */
export function challengeFor(request: IncomingMessage, path: string, scheme: Scheme): string[] {
  const resource = path.startsWith('/mcp') ? path.replaceAll(/["\\]/g, encodeURIComponent) : '';
  const bearer = `Bearer resource_metadata="${originOf(request, scheme)}${wellKnown}${resource}"`;
  return path.startsWith('/git/') ? [bearer, `Basic realm="${product.name}"`] : [bearer];
}

/** The metadata document for a path below the well-known one; undefined for any other path. */
export function resourceMetadata(
  request: IncomingMessage,
  path: string,
  scheme: Scheme,
): Record<string, unknown> | undefined {
  if (path !== wellKnown && !path.startsWith(`${wellKnown}/`)) return undefined;
  return {
    resource: originOf(request, scheme) + path.slice(wellKnown.length),
    resource_name: product.name,
    bearer_methods_supported: ['header'],
  };
}
