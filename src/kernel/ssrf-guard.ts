/**
 * Keeps outgoing requests away from private networks and metadata services (server-side request
 * forgery). The name is resolved here, every address is judged, and the caller connects to exactly
 * those addresses: a second answer of the name server cannot move the target (DNS rebinding).
 */

import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { AppError, messageOf } from './errors.ts';
import { kindOfAddress, parseLooseIpv4 } from './ip-address.ts';

export interface SsrfPolicy {
  /** Hosts that may be private: `name`, `name:port`, `*.suffix` or an address; IPv6 in brackets if it has a port. */
  readonly allowHosts?: readonly string[];
  /** Hosts refused whatever their address; the same forms. */
  readonly denyHosts?: readonly string[];
  /** Opens loopback, RFC 1918, carrier NAT and ULA; never link-local, metadata, multicast or reserved. */
  readonly allowPrivate?: boolean;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

export interface SsrfGuard {
  /** Parses an http(s) URL and judges its host without resolving it. Throws INVALID_INPUT or FORBIDDEN. */
  checkUrl(url: string): URL;
  /** The addresses that may be connected to for a host and port. Throws FORBIDDEN or UPSTREAM_UNAVAILABLE. */
  resolve(host: string, port: number): Promise<readonly ResolvedAddress[]>;
}

/** Resolves a name to all its addresses; tests hand in their own. */
export type Resolver = (name: string) => Promise<readonly ResolvedAddress[]>;

const systemResolver: Resolver = async (name) => {
  const found = await systemLookup(name, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

/** Lower case, without brackets and the root dot; loose IPv4 forms become dotted decimal. */
function canonicalHost(host: string): string {
  const bare = host
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
    .replace(/\.$/, '');
  return parseLooseIpv4(bare) ?? bare;
}

/** True when a pattern of a policy names this host and port. */
function matches(pattern: string, host: string, port: number): boolean {
  const withPort = /^(\[.*\]|[^:]*):(\d+)$/.exec(pattern);
  if (withPort && Number(withPort[2]) !== port) return false;
  const name = canonicalHost(withPort?.[1] ?? pattern);
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) : name === host;
}

function listed(patterns: readonly string[] | undefined, host: string, port: number): boolean {
  return (patterns ?? []).some((pattern) => matches(pattern, host, port));
}

/** The port of an http(s) URL, also where it is not said. */
export function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
}

/** Makes a guard of a policy; `resolver` defaults to the system's, which also reads the hosts file. */
export function createSsrfGuard(policy: SsrfPolicy = {}, resolver: Resolver = systemResolver): SsrfGuard {
  function checkHost(host: string, port: number): void {
    if (listed(policy.denyHosts, host, port)) {
      throw new AppError('FORBIDDEN', { problem: `the host ${host} is on the deny list` });
    }
  }

  function checkAddress(host: string, address: string, port: number): void {
    if (listed(policy.denyHosts, address, port)) {
      throw new AppError('FORBIDDEN', { problem: `the host ${host} is on the deny list` });
    }
    if (listed(policy.allowHosts, host, port) || listed(policy.allowHosts, address, port)) return;
    const kind = kindOfAddress(address);
    if (kind === 'public' || (kind === 'private' && policy.allowPrivate === true)) return;
    throw new AppError('FORBIDDEN', {
      problem:
        `the host ${host} is not on the public internet; ` +
        'an operator can permit it with the setting allowHosts',
    });
  }

  return {
    checkUrl(text) {
      const url = parseHttpUrl(text);
      const host = canonicalHost(url.hostname);
      checkHost(host, portOf(url));
      if (isIP(host) !== 0) checkAddress(host, host, portOf(url));
      return url;
    },
    async resolve(given, port) {
      const host = canonicalHost(given);
      checkHost(host, port);
      const family = isIP(host);
      const addresses: readonly ResolvedAddress[] =
        family === 0 ? await resolveName(host, resolver) : [{ address: host, family: family === 6 ? 6 : 4 }];
      // One private answer among public ones is how rebinding starts: all must pass.
      for (const { address } of addresses) checkAddress(host, address, port);
      return addresses;
    },
  };
}

function parseHttpUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url) throw new AppError('INVALID_INPUT', { field: 'url', problem: 'is not an absolute URL' });
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AppError('INVALID_INPUT', {
      field: 'url',
      problem: `has the scheme ${url.protocol} but only http: and https: are served`,
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new AppError('INVALID_INPUT', {
      field: 'url',
      problem: 'carries a user name or password; send an Authorization header instead',
    });
  }
  return url;
}

async function resolveName(host: string, resolver: Resolver): Promise<readonly ResolvedAddress[]> {
  let found: readonly ResolvedAddress[];
  try {
    found = await resolver(host);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error);
    throw new AppError('UPSTREAM_UNAVAILABLE', {
      server: host,
      problem: `the name does not resolve (${code})`,
    });
  }
  if (found.length > 0) return found;
  throw new AppError('UPSTREAM_UNAVAILABLE', { server: host, problem: 'the name has no address' });
}
