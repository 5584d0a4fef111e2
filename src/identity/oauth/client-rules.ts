/** What clients may register, by request (RFC 7591) or by a document of their own (Client ID Metadata Documents). */

import { errors } from 'oidc-provider';

const loopbacks = new Set(['localhost', '127.0.0.1', '[::1]']);

/** An app on the person's own machine: it listens on a loopback port, or has a URI scheme of its own. */
function isNativeUri(uri: unknown): boolean {
  const url = typeof uri === 'string' ? URL.parse(uri) : null;
  if (!url) return false;
  return url.protocol === 'http:' ? loopbacks.has(url.hostname) : url.protocol !== 'https:';
}

/**
 * Sets right what many clients leave out or get wrong, before it is judged. Clients keep no secret that we would have to
 * keep too: PKCE does that work. One with any redirect to its own machine is native, so that its ports may vary
 * (RFC 8252, 7.3), whether it says so or not. Throws InvalidClientMetadata.
 */
export function settleClient(metadata: Record<string, unknown>): void {
  const uris = Array.isArray(metadata['redirect_uris']) ? (metadata['redirect_uris'] as unknown[]) : [];
  if (uris.length > 20) throw new errors.InvalidClientMetadata('redirect_uris has more than 20 members');
  metadata['application_type'] = uris.some(isNativeUri) ? 'native' : 'web';
  for (const uri of uris)
    if (typeof uri === 'string' && URL.parse(uri)?.protocol === 'http:' && !isNativeUri(uri))
      throw new errors.InvalidClientMetadata(
        'redirect_uris may use http for 127.0.0.1, [::1] and localhost only; use https',
      );
  const method = metadata['token_endpoint_auth_method'];
  if (typeof method === 'string' && method.startsWith('client_secret_'))
    metadata['token_endpoint_auth_method'] = 'none';
  delete metadata['client_secret'];
  delete metadata['client_secret_expires_at'];
  // Many ask for scopes of other servers here; what they may ask for is said per request.
  delete metadata['scope'];
  const name = metadata['client_name'];
  if (typeof name === 'string' && (name.length > 200 || /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u.test(name)))
    throw new errors.InvalidClientMetadata('client_name must be at most 200 characters on one line');
}
