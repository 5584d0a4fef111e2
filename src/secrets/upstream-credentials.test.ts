import { expect, it } from 'vitest';
import { httpFor, ownerFor, type ServerAuth } from './upstream-credentials.ts';

const metadata = 'http://169.254.169.254/latest/meta-data';
const auth = {
  type: 'client-credentials',
  whose: 'shared',
  clientId: 'x',
  clientSecret: 'y',
  issuer: metadata,
  allowHosts: ['169.254.169.254'],
} as const;

it('a server that was added over REST opens no host to the search for its tokens', async () => {
  const added: ServerAuth = { id: 'one', url: metadata, auth, bounds: { allowPrivate: true } };
  await expect(httpFor(added)(metadata)).rejects.toThrow('is not on the public internet');
});

it('only the host and port that were written down are asked, not another port there', async () => {
  const server: ServerAuth = {
    id: 'one',
    url: 'http://127.0.0.1:9/mcp',
    auth: { ...auth, issuer: undefined, allowHosts: [] },
  };
  await expect(httpFor(server)('http://127.0.0.1:9/')).rejects.toThrow('ECONNREFUSED');
  await expect(httpFor(server)('http://127.0.0.1:10/')).rejects.toThrow('is not on the public internet');
});

it.each([
  ['shared', { tenant: 'default', user: '' }],
  ['per-tenant', { tenant: 'acme', user: '' }],
  ['per-user', { tenant: 'acme', user: 'anna' }],
] as const)('%s credentials belong to %j', (whose, owner) => {
  const given = { type: 'static', whose, secret: 's', header: 'authorization', scheme: '' } as const;
  expect(ownerFor(given, { tenant: 'acme', id: 'anna' })).toEqual(owner);
});
