import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { createForwarded, nodeAddress, parseForwarded } from './forwarded.ts';

const from = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;
const plain = createForwarded({
  trustedProxies: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'],
  forwardedHeader: 'x-forwarded',
});
const standard = createForwarded({
  trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
  forwardedHeader: 'forwarded',
});

describe('addressOf', () => {
  it.each([
    ['nobody is believed', '198.51.100.7', '203.0.113.5', '198.51.100.7'],
    ['a proxy is', '10.0.0.1', '203.0.113.5', '203.0.113.5'],
    ['as IPv4 in IPv6', '::ffff:10.0.0.1', '203.0.113.5', '203.0.113.5'],
    ['what a client wrote before it is not', '10.0.0.1', '1.2.3.4, 203.0.113.5', '203.0.113.5'],
    ['through two proxies', '10.0.0.1', '203.0.113.5, 10.2.2.2', '203.0.113.5'],
    ['all of them proxies', '10.0.0.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['with a port', '10.0.0.1', '203.0.113.5:1234', '203.0.113.5'],
    ['IPv6', 'fd00::1', '2001:db8::7', '2001:db8::7'],
    ['IPv6 in brackets', '192.0.2.1', '[2001:db8::7]:80', '2001:db8::7'],
    ['nonsense', '10.0.0.1', 'x', '10.0.0.1'],
    ['nothing', '10.0.0.1', '', '10.0.0.1'],
  ])('%s', (_, remote, header, expected) => {
    expect(plain.addressOf(from(remote, { 'x-forwarded-for': header }))).toBe(expected);
  });

  it.each([
    ['for=203.0.113.5;proto=https', '203.0.113.5', 'https'],
    ['For="[2001:db8::7]:4711";Proto=HTTPS', '2001:db8::7', 'https'],
    ['for=1.2.3.4;proto=https, for=203.0.113.5;proto=http', '203.0.113.5', 'http'],
    ['for=unknown;proto=https', '10.0.0.1', 'https'],
    ['for=_hidden', '10.0.0.1', 'http'],
    ['for="1.2.3.4', '10.0.0.1', 'http'],
    ['for="a\\"b, proto=https', '10.0.0.1', 'http'],
  ])('of Forwarded: %s', (header, address, scheme) => {
    const request = from('10.0.0.1', {
      forwarded: header,
      'x-forwarded-for': '9.9.9.9',
      'x-forwarded-proto': 'gopher',
    });
    expect([standard.addressOf(request), standard.schemeOf(request)]).toEqual([address, scheme]);
  });
});

test('only the header that is configured, and only of proxies, says what was spoken', () => {
  const both = { forwarded: 'proto=https', 'x-forwarded-proto': 'http' };
  expect(plain.schemeOf(from('10.0.0.1', both))).toBe('http');
  expect(standard.schemeOf(from('10.0.0.1', both))).toBe('https');
  expect(standard.schemeOf(from('11.0.0.1', both))).toBe('http');
  expect(plain.schemeOf(from('10.0.0.1', { 'x-forwarded-proto': 'http, https' }))).toBe('https');
});

test.each(['10.0.0.0/33', 'fd00::/129', 'proxy.local', '10.0.0.0/', '10.0.0.1/8/8', '', 'fe80::1%eth0'])(
  'a network that is none is refused: %j',
  (network) => {
    const make = () => createForwarded({ trustedProxies: [network], forwardedHeader: 'forwarded' });
    expect(make).toThrow(/^config: trustedProxies: /);
  },
);

const address = fc.oneof(fc.ipV4(), fc.ipV6());
const quoted = (text: string) => `"${text.replaceAll(/(["\\])/g, '\\$1')}"`;
const nodeOf = (one: string) => (one.includes(':') ? `[${one}]` : one);

describe('for any input', () => {
  it('Forwarded is read as it was written', () => {
    const hop = fc.record({ for: address, proto: fc.constantFrom('http', 'https') });
    fc.assert(
      fc.property(fc.array(hop, { minLength: 1, maxLength: 8 }), (hops) => {
        const header = hops.map((one) => `for=${quoted(nodeOf(one.for))};proto=${one.proto}`).join(', ');
        expect(parseForwarded(header)).toEqual(hops.map((one) => ({ ...one, for: nodeOf(one.for) })));
        expect(hops.every((one) => nodeAddress(nodeOf(one.for)) !== undefined)).toBe(true);
      }),
    );
  });

  it('what comes out is an address, and a stranger is never believed', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(address).map((all) => all.join(',')),
    );
    fc.assert(
      fc.property(text, (header) => {
        const headers = { forwarded: header, 'x-forwarded-for': header, 'x-forwarded-proto': header };
        for (const forwarded of [plain, standard]) {
          expect(forwarded.addressOf(from('198.51.100.7', headers))).toBe('198.51.100.7');
          expect(forwarded.schemeOf(from('198.51.100.7', headers))).toBe('http');
          expect(nodeAddress(forwarded.addressOf(from('10.0.0.1', headers)))).toBeDefined();
        }
      }),
    );
  });

  it('whoever a client claims to be, its proxy names it', () => {
    fc.assert(
      fc.property(fc.string(), (claim) => {
        const headers = { 'x-forwarded-for': `${claim}, 203.0.113.5` };
        expect(plain.addressOf(from('10.0.0.1', headers))).toBe('203.0.113.5');
      }),
    );
  });
});

test('a header made to be slow to read is not', () => {
  const header = 'for="'.padEnd(16_000, '\\"') + ';'.repeat(1000);
  expect(parseForwarded(header)).toEqual([]);
});
