/** Tokens of an authorization server that is not ours: a second oidc-provider, over HTTP. */

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { createTokenCheck } from './access-tokens.ts';
import { createExternalVerify, type ExternalServer, roleIn } from './external-tokens.ts';

const audience = 'https://gateway.example.org';
let answer: RequestListener = () => {};
let issuer = '';
let claims: Record<string, unknown> = {};
const server = createServer((request, response) => answer(request, response));

async function useProvider(kid: string): Promise<void> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' };
  const provider = new Provider(issuer, {
    jwks: { keys: [jwk] },
    clients: [
      {
        client_id: 'machine',
        client_secret: 'secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: async (_ctx, resource) => ({
          scope: 'any',
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    ttl: { ClientCredentials: 600 },
    extraTokenClaims: async () => claims,
  });
  const serve = provider.callback();
  answer = (request, response) => void serve(request, response);
}

async function tokenFor(resource = audience, extra: Record<string, unknown> = { roles: ['developer'] }) {
  claims = extra;
  const result = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('machine:secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  return ((await result.json()) as { access_token: string }).access_token;
}

function checkOf(changed: Partial<ExternalServer> = {}) {
  const settings = {
    issuer,
    audience,
    algorithms: ['ES256'],
    roleClaim: 'roles',
    roles: {},
    tenant: 'default',
    clock: systemClock,
  };
  const check = createTokenCheck(createExternalVerify({ ...settings, ...changed }), systemClock);
  return (token: string) => check.check(token, 'http://any/mcp');
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await useProvider('first');
});
afterAll(() => void server.close());
afterEach(() => void vi.useRealTimers());

const refused = { code: 'UNAUTHENTICATED' };

describe('a token of another server', () => {
  it('opens for whom it names, with the role of its claim', async () => {
    const check = checkOf();
    expect(await check(await tokenFor())).toEqual({
      id: 'external:machine',
      tenant: 'default',
      role: 'developer',
    });
    expect(await checkOf({ jwksUri: `${issuer}/jwks` })(await tokenFor())).toMatchObject({
      role: 'developer',
    });
  });

  it('opens with keys that came later', async () => {
    const check = checkOf();
    await check(await tokenFor());
    await useProvider('second');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    expect(await check(await tokenFor())).toMatchObject({ role: 'developer' });
  });

  it.each([
    ['for another audience', 'https://other.example', {}],
    ['without a role', audience, { roles: [] }],
    ['with a role that there is not', audience, { roles: ['root', '__proto__', 'constructor'] }],
  ])('opens nothing %s', async (_, resource, extra) => {
    await expect(
      checkOf()(await tokenFor(resource, { roles: ['developer'], ...extra })),
    ).rejects.toMatchObject(refused);
  });

  it.each([
    ['another issuer', { issuer: 'http://127.0.0.1:9' }],
    ['another algorithm', { algorithms: ['RS256'] }],
    ['keys from elsewhere', { jwksUri: 'http://127.0.0.1:9/jwks' }],
  ])('opens nothing where %s is expected', async (_, changed) => {
    await expect(checkOf(changed)(await tokenFor())).rejects.toMatchObject(refused);
  });

  it('opens nothing after its time', async () => {
    const check = checkOf();
    const token = await tokenFor();
    await check(token);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    await expect(check(token)).rejects.toMatchObject(refused);
    await expect(checkOf()(token)).rejects.toMatchObject(refused);
  });
});

it.each([
  [{ roles: 'viewer agent' }, 'roles', {}, 'agent'],
  [{ groups: ['ผู้ดูแล', 'x'] }, 'groups', { ผู้ดูแล: 'admin' }, 'admin'],
  [{ realm_access: { roles: ['owner'] } }, 'realm_access.roles', {}, 'owner'],
  [{ 'https://x/roles': ['auditor'] }, 'https://x/roles', {}, 'auditor'],
  [{ roles: ['owner'] }, 'roles', { owner: 'viewer' }, 'viewer'],
  [{ roles: [7, null, {}] }, 'roles', {}, undefined],
  [{}, 'roles', {}, undefined],
] as const)('finds a role in %j', (payload, roleClaim, mapped, expected) => {
  expect(roleIn(payload as never, { roleClaim, roles: mapped })).toBe(expected);
});
