/** The certificate that a client showed when it connected. */

import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { TlsMaterial } from '../../kernel/tls-material.ts';

/**
 * The SHA-256 of the certificate that counts, base64url (`x5t#S256` of RFC 8705, 3.1); undefined where there is none.
 * Where CAs are named, one that none of them vouches for does not count.
 */
export function thumbprintOf(
  { socket }: IncomingMessage,
  { clientCa, clientAuth }: Pick<TlsMaterial, 'clientCa' | 'clientAuth'>,
): string | undefined {
  if (clientAuth === 'none' || !(socket instanceof TLSSocket)) return undefined;
  if (clientCa !== undefined && !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate && hash('sha256', certificate.raw, 'base64url');
}
