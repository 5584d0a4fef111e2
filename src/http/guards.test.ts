import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { assertMayBind, createGuard } from './guards.ts';

const guard = createGuard({
  host: '127.0.0.1',
  allowedHosts: ['gateway.test'],
  allowedOrigins: ['https://app.test'],
  schemeOf: () => 'http',
});
const check =
  (headers: Record<string, string | undefined>, path = '/mcp') =>
  () =>
    guard({ headers, url: path } as unknown as IncomingMessage);

describe('guard', () => {
  it.each(['127.0.0.1:3000', 'localhost', 'LOCALHOST:1', '[::1]:3000', 'gateway.test:80'])(
    'lets Host %s in',
    (host) => {
      expect(check({ host })).not.toThrow();
    },
  );

  it.each([
    'evil.test',
    'evil.test:3000',
    '127.0.0.1.evil.test',
    'localhost.evil.test',
    '',
    '127.0.0.1@evil.test',
    undefined,
  ])('refuses Host %s', (host) => {
    expect(check({ host })).toThrow(expect.objectContaining({ code: 'FORBIDDEN_HOST' }));
  });

  it.each([
    'http://localhost:5173',
    'http://127.0.0.1',
    'http://[::1]:1',
    'https://app.test',
    'https://APP.test/',
  ])('lets Origin %s in', (origin) => {
    expect(check({ host: 'localhost', origin: origin.replace(/\/$/, '') })).not.toThrow();
  });

  it.each([
    'null',
    'https://evil.test',
    'http://localhost.evil.test',
    'file://',
    'chrome-extension://abc',
    'https://app.test.evil.test',
  ])('refuses Origin %s', (origin) => {
    expect(check({ host: 'localhost', origin })).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN_ORIGIN' }),
    );
  });
});

describe('guard of the REST API', () => {
  const host = '127.0.0.1:3000';

  it.each(['http://127.0.0.1:3000', 'https://app.test'])('lets Origin %s in', (origin) => {
    expect(check({ host, origin }, '/api/v1/servers')).not.toThrow();
  });

  it.each(['http://127.0.0.1:5173', 'http://localhost:3000', 'https://127.0.0.1:3000', 'https://evil.test'])(
    'refuses Origin %s, whose pages may not start programs',
    (origin) => {
      expect(check({ host, origin }, '/api/v1/servers')).toThrow(
        expect.objectContaining({ code: 'FORBIDDEN_ORIGIN' }),
      );
    },
  );
});

describe('assertMayBind', () => {
  it.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('allows %s', (host) => {
    expect(() => assertMayBind(host, false)).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '192.168.1.2', 'example.org', '127.evil.test', ''])('refuses %s', (host) => {
    expect(() => assertMayBind(host, false)).toThrow(expect.objectContaining({ code: 'BIND_REFUSED' }));
    expect(() => assertMayBind(host, true)).not.toThrow();
  });
});
