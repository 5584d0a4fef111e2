/** For whom a request is made, and over what, where trusted proxies stand before us. Nobody else is believed. */

import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { AppError } from '../kernel/errors.ts';

export interface Forwarded {
  readonly isTrustedProxy: (address: string) => boolean;
  /** The nearest address that is no trusted proxy; of proxies only, the farthest. IPv4 is never written as IPv6. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** What the client speaks, as far as is known. */
  readonly schemeOf: (request: IncomingMessage) => 'http' | 'https';
}

export interface ForwardedOptions {
  /** Addresses and CIDRs. */
  readonly trustedProxies: readonly string[];
  readonly forwardedHeader: 'x-forwarded' | 'forwarded';
}

const maxHops = 32;

/** Throws CONFIG_INVALID for what is no address and no network. */
export function createForwarded({ trustedProxies, forwardedHeader }: ForwardedOptions): Forwarded {
  const trusted = new BlockList();
  for (const text of trustedProxies) addNetwork(trusted, text);
  const isBelieved = trustedProxies.length > 0;

  function isTrustedProxy(address: string): boolean {
    const plain = plainAddress(address);
    const kind = isBelieved ? isIP(plain) : 0;
    return kind !== 0 && trusted.check(plain, kind === 4 ? 'ipv4' : 'ipv6');
  }

  /** Undefined unless it comes from a trusted proxy. */
  function wordOf(request: IncomingMessage): { fors: string[]; proto: string | undefined } | undefined {
    if (!isBelieved || !isTrustedProxy(request.socket.remoteAddress ?? '')) return undefined;
    const { headers } = request;
    if (forwardedHeader === 'forwarded') {
      const hops = parseForwarded(headers['forwarded'] ?? '');
      return { fors: hops.map((hop) => hop.for ?? ''), proto: hops.at(-1)?.proto };
    }
    return {
      fors: listOf(headers['x-forwarded-for']).slice(-maxHops),
      proto: listOf(headers['x-forwarded-proto']).at(-1),
    };
  }

  return {
    isTrustedProxy,
    addressOf(request) {
      let address = plainAddress(request.socket.remoteAddress ?? '');
      for (const text of wordOf(request)?.fors.toReversed() ?? []) {
        const next = nodeAddress(text);
        // An unknown or obscured one: what stands before it cannot be known either.
        if (next === undefined) break;
        address = next;
        if (!isTrustedProxy(next)) break;
      }
      return address;
    },
    schemeOf(request) {
      if (request.socket instanceof TLSSocket) return 'https';
      return wordOf(request)?.proto?.toLowerCase() === 'https' ? 'https' : 'http';
    },
  };
}

function addNetwork(list: BlockList, text: string): void {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const kind = isIP(address);
  const most = kind === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  if (kind === 0 || address.includes('%') || prefix > most)
    throw new AppError('CONFIG_INVALID', {
      file: 'config',
      problem: `trustedProxies: ${text} is no address or network; write it as 10.0.0.0/8 or fd00::/8`,
      path: 'trustedProxies',
    });
  list.addSubnet(address, prefix, kind === 4 ? 'ipv4' : 'ipv6');
}

/** `::ffff:10.0.0.1`, as sockets that take both kinds write it, and without a zone. */
export function plainAddress(address: string): string {
  return (/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address).split('%')[0]!;
}

function listOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text === '' ? [] : text.split(',').map((item) => item.trim());
}

/** The address of a node (RFC 7239, 6): with a port or without, IPv6 in brackets or bare; undefined for any other name. */
export function nodeAddress(text: string): string | undefined {
  const [, inBrackets, before] = /^(?:\[([^\]]+)\](?::\w+)?|([^:]+):\w+)$/.exec(text) ?? [];
  const address = plainAddress(inBrackets ?? before ?? text);
  return isIP(address) === 0 ? undefined : address;
}

/** The elements of a Forwarded header (RFC 7239, 4), at most the last 32; none where it breaks the grammar. */
export function parseForwarded(header: string): Partial<Record<'for' | 'proto', string>>[] {
  const pattern = /\s*(?:([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~\w-]+)))?\s*([;,]|$)/y;
  const hops: Record<string, string>[] = [{}];
  while (pattern.lastIndex < header.length) {
    const match = pattern.exec(header);
    // Nobody knows which part of it a proxy wrote.
    if (!match) return [];
    const [, name, quoted, token, end] = match;
    if (name !== undefined)
      hops.at(-1)![name.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, '$1') ?? token ?? '';
    if (end === ',') hops.push({});
  }
  return hops.slice(-maxHops);
}
