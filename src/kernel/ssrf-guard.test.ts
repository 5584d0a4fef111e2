import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kindOfAddress, parseLooseIpv4 } from './ip-address.ts';
import { createSsrfGuard, type ResolvedAddress } from './ssrf-guard.ts';

const answers = (...addresses: string[]) => {
  const found = addresses.map((address): ResolvedAddress => ({
    address,
    family: address.includes(':') ? 6 : 4,
  }));
  return () => Promise.resolve(found);
};

const failing = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));

const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet);

/** All text forms in which inet_aton accepts an address. */
const looseForm = fc
  .tuple(
    ipv4,
    fc.integer({ min: 1, max: 4 }),
    fc.array(fc.constantFrom('dec', 'oct', 'hex'), { minLength: 4, maxLength: 4 }),
  )
  .map(([bytes, parts, bases]) => {
    const head = bytes.slice(0, parts - 1);
    const rest = bytes.slice(parts - 1).reduce((sum, byte) => sum * 256 + byte, 0);
    const text = [...head, rest].map((value, index) => {
      const base = bases[index]!;
      if (base === 'hex') return `0x${value.toString(16)}`;
      return base === 'oct' ? `0${value.toString(8)}` : String(value);
    });
    return { text: text.join('.'), dotted: bytes.join('.') };
  });

describe('kindOfAddress', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['1.1.1.1', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.0', 'public'],
    ['223.255.255.255', 'public'],
    ['127.0.0.1', 'private'],
    ['127.255.255.254', 'private'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.100.100.200', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['0.1.2.3', 'forbidden'],
    ['169.254.169.254', 'forbidden'],
    ['168.63.129.16', 'forbidden'],
    ['192.0.0.192', 'forbidden'],
    ['192.0.2.1', 'forbidden'],
    ['198.18.0.1', 'forbidden'],
    ['198.51.100.7', 'forbidden'],
    ['203.0.113.9', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    ['2606:4700:4700::1111', 'public'],
    ['2a00:1450:4001:81b::200e', 'public'],
    ['::1', 'private'],
    ['0:0:0:0:0:0:0:1', 'private'],
    ['fc00::1', 'private'],
    ['fdff::1', 'private'],
    ['fd00:ec2::254', 'forbidden'],
    ['::', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['fec0::1', 'forbidden'],
    ['ff02::1', 'forbidden'],
    ['2001:db8::1', 'forbidden'],
    ['2001::1', 'forbidden'],
    ['2002:7f00:1::', 'forbidden'],
    ['3fff::1', 'forbidden'],
    ['64:ff9b:1::7f00:1', 'forbidden'],
    ['100::1', 'forbidden'],
    ['::ffff:127.0.0.1', 'private'],
    ['::ffff:7f00:1', 'private'],
    ['::ffff:169.254.169.254', 'forbidden'],
    ['::ffff:8.8.8.8', 'public'],
    ['::127.0.0.1', 'forbidden'],
    ['64:ff9b::127.0.0.1', 'private'],
    ['64:ff9b::a9fe:a9fe', 'forbidden'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['', 'forbidden'],
    ['localhost', 'forbidden'],
    ['1.2.3', 'forbidden'],
  ])('%s is %s', (address, kind) => {
    expect(kindOfAddress(address)).toBe(kind);
  });

  it('judges an IPv4 address alike bare, mapped and behind NAT64', () => {
    fc.assert(
      fc.property(ipv4, (bytes) => {
        const dotted = bytes.join('.');
        const kind = kindOfAddress(dotted);
        const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0'));
        expect(kindOfAddress(`::ffff:${dotted}`)).toBe(kind);
        expect(kindOfAddress(`0:0:0:0:0:ffff:${hex[0]}${hex[1]}:${hex[2]}${hex[3]}`)).toBe(kind);
        expect(kindOfAddress(`64:ff9b::${dotted}`)).toBe(kind);
      }),
    );
  });
});

describe('parseLooseIpv4', () => {
  it('reads every inet_aton form as the URL parser does', () => {
    fc.assert(
      fc.property(looseForm, ({ text, dotted }) => {
        expect(parseLooseIpv4(text)).toBe(dotted);
        expect(new URL(`http://${text}/`).hostname).toBe(dotted);
      }),
    );
  });

  it.each([
    '',
    'example.com',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.256',
    '4294967296',
    '08',
    '1..2',
    '-1',
    '0xzz',
  ])('refuses %j', (text) => {
    expect(parseLooseIpv4(text)).toBeUndefined();
  });
});

describe('createSsrfGuard', () => {
  it('refuses a private address in any form, in URL and in resolve', async () => {
    const guard = createSsrfGuard();
    const privateForm = looseForm.filter(({ dotted }) => kindOfAddress(dotted) !== 'public');
    await fc.assert(
      fc.asyncProperty(privateForm, async ({ text }) => {
        expect(() => guard.checkUrl(`http://${text}/`)).toThrow(/not on the public internet/);
        await expect(guard.resolve(text, 80)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      }),
    );
  });

  it.each([
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://①②⑦.0.0.1/',
    'http://127.1./',
  ])('refuses %s', (url) => {
    expect(() => createSsrfGuard().checkUrl(url)).toThrow(/not on the public internet/);
  });

  it.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://x/',
    'data:text/plain,hi',
    'javascript:1',
    'nonsense',
    '',
  ])('refuses the URL %j', (url) => {
    expect(() => createSsrfGuard({ allowPrivate: true }).checkUrl(url)).toThrow(/url: /);
  });

  it('refuses credentials in the URL without repeating them', () => {
    expect(() => createSsrfGuard().checkUrl('https://me:hunter2@example.com/')).toThrow(
      /^(?!.*hunter2).*Authorization/,
    );
  });

  it('resolves a name and hands out the checked addresses', async () => {
    const guard = createSsrfGuard({}, answers('8.8.8.8', '2606:4700::1'));
    await expect(guard.resolve('example.com', 443)).resolves.toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ]);
  });

  it.each([['127.0.0.1'], ['8.8.8.8', '10.0.0.1'], ['::ffff:10.0.0.1'], ['169.254.169.254']])(
    'refuses a name that answers %s',
    async (...addresses) => {
      const guard = createSsrfGuard({}, answers(...addresses));
      await expect(guard.resolve('rebind.example', 80)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    },
  );

  it('opens private but not metadata addresses with allowPrivate', async () => {
    const guard = createSsrfGuard({ allowPrivate: true }, answers('10.0.0.1'));
    await expect(guard.resolve('intranet', 80)).resolves.toHaveLength(1);
    expect(() => guard.checkUrl('http://127.0.0.1:8080/')).not.toThrow();
    expect(() => guard.checkUrl('http://169.254.169.254/latest/meta-data/')).toThrow(/public internet/);
    expect(() => guard.checkUrl('http://0.0.0.0/')).toThrow(/public internet/);
  });

  it('allows listed hosts, by name, suffix, address and port', async () => {
    const guard = createSsrfGuard(
      { allowHosts: ['intranet', '*.corp.example', '127.0.0.1:8080', '[::1]:9', 'fd00::5'] },
      answers('10.0.0.1'),
    );
    await expect(guard.resolve('INTRANET.', 1)).resolves.toHaveLength(1);
    await expect(guard.resolve('a.corp.example', 1)).resolves.toHaveLength(1);
    await expect(guard.resolve('evilcorp.example', 1)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(guard.resolve('corp.example', 1)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(() => guard.checkUrl('http://127.0.0.1:8080/')).not.toThrow();
    expect(() => guard.checkUrl('http://0x7f000001:8080/')).not.toThrow();
    expect(() => guard.checkUrl('http://127.0.0.1:8081/')).toThrow(/public internet/);
    expect(() => guard.checkUrl('http://[::1]:9/')).not.toThrow();
    expect(() => guard.checkUrl('http://[::1]/')).toThrow(/public internet/);
    expect(() => guard.checkUrl('http://[fd00::5]/')).not.toThrow();
  });

  it('refuses listed hosts before anything else', async () => {
    const guard = createSsrfGuard(
      { denyHosts: ['*.evil.example', '8.8.4.4'], allowHosts: ['a.evil.example'] },
      answers('8.8.4.4'),
    );
    expect(() => guard.checkUrl('https://a.evil.example/')).toThrow(/deny list/);
    await expect(guard.resolve('other.example', 443)).rejects.toThrow(/deny list/);
  });

  it('says so when a name does not resolve', async () => {
    await expect(createSsrfGuard({}, failing).resolve('no.such.example', 80)).rejects.toThrow(/ENOTFOUND/);
    await expect(createSsrfGuard({}, answers()).resolve('empty.example', 80)).rejects.toThrow(/no address/);
  });
});
