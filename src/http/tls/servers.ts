/** Makes the servers of all listeners alike: with the same bounds, and with TLS when there is a certificate. */

import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { TlsMaterial } from '../../kernel/tls-material.ts';
import type { Connections } from '../bounds/connections.ts';
import type { Certificate } from './certificate.ts';

export interface ServerBounds {
  readonly headerBytes: number;
  readonly headerCount: number;
  readonly headersTimeoutMs: number;
  /** A request, body included, has to come in time; how long its answer takes is another matter. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
}

export interface Servers extends Disposable {
  serverFor(listener: RequestListener): Server;
}

/** How often Node.js looks for requests that take too long, milliseconds; more often for short times. */
const longestCheckMs = 10_000;

function contextOf({ cert, key, clientCa, minVersion }: TlsMaterial): SecureContextOptions {
  return { cert, key, minVersion, ...(clientCa !== undefined && { ca: clientCa }) };
}

export function createServers(parts: {
  readonly bounds: ServerBounds;
  readonly connections: Pick<Connections, 'bound'>;
  readonly certificate: Certificate | undefined;
}): Servers {
  const { bounds, connections, certificate } = parts;
  const secured = new Set<TlsServer>();
  const { headersTimeoutMs: headersTimeout } = bounds;
  const options: ServerOptions = {
    headersTimeout,
    // Node.js wants the part to take no longer than the whole.
    requestTimeout: Math.max(bounds.requestTimeoutMs, headersTimeout),
    keepAliveTimeout: bounds.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(longestCheckMs, Math.ceil(headersTimeout / 2)),
    maxHeaderSize: bounds.headerBytes,
    insecureHTTPParser: false,
    requireHostHeader: true,
  };
  const stop = certificate?.onChange((material) => {
    // Connections that are open keep the old one; session tickets of the old one are worth nothing.
    for (const server of secured) server.setSecureContext(contextOf(material));
  });

  function createSecured(material: TlsMaterial, listener: RequestListener): TlsServer {
    const { clientAuth } = material;
    const server = createTlsServer(
      {
        ...options,
        ...contextOf(material),
        requestCert: clientAuth !== 'none',
        rejectUnauthorized: clientAuth === 'require',
        handshakeTimeout: headersTimeout,
      },
      listener,
    );
    secured.add(server);
    server.on('close', () => secured.delete(server));
    return server;
  }

  return {
    serverFor(listener) {
      const server = certificate
        ? createSecured(certificate.material, listener)
        : createServer(options, listener);
      // One more than is allowed, so that there is something to refuse: beyond it they are dropped in silence.
      server.maxHeadersCount = bounds.headerCount + 1;
      connections.bound(server);
      return server;
    },
    [Symbol.dispose]() {
      stop?.();
    },
  };
}
