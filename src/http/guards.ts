/** Who may speak to this listener at all: Host against DNS rebinding, Origin against foreign pages. */

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AppError } from '../kernel/errors.ts';

export interface GuardOptions {
  /** The address we listen on. */
  readonly host: string;
  /** Further host names, without ports. */
  readonly allowedHosts: readonly string[];
  /** Further origins, e.g. `https://app.example.org`. */
  readonly allowedOrigins: readonly string[];
  /** What the client speaks. */
  readonly schemeOf: (request: IncomingMessage) => 'http' | 'https';
}

/**
 * Throws FORBIDDEN_HOST or FORBIDDEN_ORIGIN. Pages of other loopback origins (a development server, the
 * Inspector) may speak MCP; the REST API, which starts programs, is for our own pages and the allowed ones only.
 */
export type Guard = (request: IncomingMessage) => void;

/** MCP, and what a client in a page needs to get a token: nothing that goes by cookies. */
const openToLocalPages = /^\/(?:mcp|\.well-known\/|oauth\/(?:token|register|revoke|jwks)(?:$|\?))/;
const maxKnownHosts = 100;
const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

/** Refuses to listen beyond loopback where nobody has to say who they are. Throws BIND_REFUSED. */
export function assertMayBind(host: string, isAuthRequired: boolean): void {
  if (!isAuthRequired && !isLoopback(host)) throw new AppError('BIND_REFUSED', { host });
}

/** The host of a Host header without its port, lower case. */
function hostName(header: string): string {
  return header.toLowerCase().replace(/:\d+$/, '');
}

/** A check of Host and Origin. */
export function createGuard(options: GuardOptions): Guard {
  const hosts = new Set([
    ...loopbackNames,
    options.host.toLowerCase(),
    ...options.allowedHosts.map(hostName),
  ]);
  const origins = new Set(options.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, '')));

  function isAllowedOrigin(origin: string, request: IncomingMessage): boolean {
    const lower = origin.toLowerCase();
    const { url: path, headers } = request;
    const own = `${options.schemeOf(request)}://${headers.host?.toLowerCase()}`;
    if (origins.has(lower) || lower === own) return true;
    if (!openToLocalPages.test(path ?? '')) return false;
    try {
      const url = new URL(lower);
      return (url.protocol === 'http:' || url.protocol === 'https:') && loopbackNames.has(url.hostname);
    } catch {
      return false;
    }
  }

  /** Host headers that passed, as they came: most requests carry the same one. */
  const known = new Set<string>();

  function isAllowedHost(host: string): boolean {
    if (known.has(host)) return true;
    if (!hosts.has(hostName(host))) return false;
    if (known.size < maxKnownHosts) known.add(host);
    return true;
  }

  return (request) => {
    const { host, origin } = request.headers;
    if (host === undefined || !isAllowedHost(host))
      throw new AppError('FORBIDDEN_HOST', { host: host ?? '' });
    if (origin !== undefined && !isAllowedOrigin(origin, request))
      throw new AppError('FORBIDDEN_ORIGIN', { origin });
  };
}
