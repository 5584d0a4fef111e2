/** IP addresses as bytes, and which of them lie on the public internet. */

import { isIPv4, isIPv6 } from 'node:net';

/**
 * What an address is for, as far as an outgoing request cares. `private` can be opened on purpose
 * (loopback, RFC 1918, carrier NAT, ULA); `forbidden` never is by that (link-local with its metadata
 * services, multicast, reserved).
 */
export type AddressKind = 'public' | 'private' | 'forbidden';

type Range = readonly [address: string, prefixBits: number, kind: AddressKind];

/** IANA special-purpose registry for IPv4 (RFC 6890 and successors); the first match wins. */
const ipv4Ranges: readonly Range[] = [
  ['10.0.0.0', 8, 'private'],
  ['100.100.100.200', 32, 'forbidden'], // metadata service of Alibaba Cloud, inside carrier NAT
  ['100.64.0.0', 10, 'private'],
  ['127.0.0.0', 8, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  ['0.0.0.0', 8, 'forbidden'],
  ['168.63.129.16', 32, 'forbidden'], // platform service of Azure, looks public
  ['169.254.0.0', 16, 'forbidden'],
  ['192.0.0.0', 24, 'forbidden'],
  ['192.0.2.0', 24, 'forbidden'],
  ['192.88.99.0', 24, 'forbidden'],
  ['198.18.0.0', 15, 'forbidden'],
  ['198.51.100.0', 24, 'forbidden'],
  ['203.0.113.0', 24, 'forbidden'],
  ['224.0.0.0', 4, 'forbidden'],
  ['240.0.0.0', 4, 'forbidden'],
];

/** IANA special-purpose registry for IPv6; outside 2000::/3 nothing is public. The first match wins. */
const ipv6Ranges: readonly Range[] = [
  ['::1', 128, 'private'],
  ['fd00:ec2::254', 128, 'forbidden'], // metadata service of AWS, inside ULA
  ['fd20:ce::254', 128, 'forbidden'], // metadata service of Google Cloud, inside ULA
  ['fc00::', 7, 'private'],
  ['2001::', 23, 'forbidden'],
  ['2001:db8::', 32, 'forbidden'],
  ['2002::', 16, 'forbidden'],
  ['3fff::', 20, 'forbidden'],
  ['2000::', 3, 'public'],
];

/** 4 bytes of a dotted-decimal address. */
function ipv4Bytes(address: string): number[] {
  return address.split('.').map(Number);
}

/** 16 bytes of an IPv6 address in any text form of RFC 4291 section 2.2, without a zone. */
function ipv6Bytes(address: string): number[] {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const text = dotted ? `${dotted[1]}${ipv4AsGroups(dotted[2]!)}` : address;
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return groups.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function ipv4AsGroups(dotted: string): string {
  const [a, b, c, d] = ipv4Bytes(dotted) as [number, number, number, number];
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function startsWith(bytes: readonly number[], prefix: readonly number[], bits: number): boolean {
  for (let bit = 0; bit < bits; bit += 8) {
    const index = bit / 8;
    const mask = bits - bit >= 8 ? 0xff : (0xff << (8 - (bits - bit))) & 0xff;
    if ((bytes[index]! & mask) !== (prefix[index]! & mask)) return false;
  }
  return true;
}

function kindOfIpv4(bytes: readonly number[]): AddressKind {
  const range = ipv4Ranges.find(([address, bits]) => startsWith(bytes, ipv4Bytes(address), bits));
  return range?.[2] ?? 'public';
}

function kindOfIpv6(bytes: readonly number[]): AddressKind {
  // IPv4-mapped (::ffff:a.b.c.d) and NAT64 (64:ff9b::a.b.c.d, RFC 6052) reach the IPv4 address inside.
  const embedsIpv4 = ['::ffff:0:0', '64:ff9b::'].some((prefix) => startsWith(bytes, ipv6Bytes(prefix), 96));
  if (embedsIpv4) return kindOfIpv4(bytes.slice(12));
  const range = ipv6Ranges.find(([address, bits]) => startsWith(bytes, ipv6Bytes(address), bits));
  return range?.[2] ?? 'forbidden';
}

/** Says what an IPv4 or IPv6 address is for; text that is no address, or has a zone, is `forbidden`. */
export function kindOfAddress(address: string): AddressKind {
  if (isIPv4(address)) return kindOfIpv4(ipv4Bytes(address));
  if (isIPv6(address) && !address.includes('%')) return kindOfIpv6(ipv6Bytes(address));
  return 'forbidden';
}

/** What one customer of a network has: an IPv4 address itself, of IPv6 without a zone its /64, in hexadecimal. */
export function networkOf(address: string): string {
  return isIPv6(address) ? Buffer.from(ipv6Bytes(address).slice(0, 8)).toString('hex') : address;
}

/**
 * Reads IPv4 as `inet_aton` and browsers do: one to four parts, each decimal, octal (`0177`) or
 * hexadecimal (`0x7f`), the last one filling the rest. Returns dotted decimal, or undefined.
 */
export function parseLooseIpv4(host: string): string | undefined {
  const parts = host.replace(/\.$/, '').split('.');
  if (parts.length > 4) return undefined;
  const values = parts.map(parseLooseNumber);
  if (values.some((value) => value === undefined)) return undefined;
  const numbers = values as number[];
  const last = numbers.pop()!;
  if (numbers.some((value) => value > 255) || last >= 256 ** (4 - numbers.length)) return undefined;
  const whole = numbers.reduce((sum, value, index) => sum + value * 256 ** (3 - index), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(whole / 2 ** shift) % 256).join('.');
}

function parseLooseNumber(part: string): number | undefined {
  if (/^0x[0-9a-f]*$/i.test(part)) return part.length === 2 ? 0 : Number.parseInt(part.slice(2), 16);
  if (/^0[0-7]*$/.test(part)) return Number.parseInt(part, 8);
  if (/^[1-9]\d*$/.test(part)) return Number.parseInt(part, 10);
  return undefined;
}
