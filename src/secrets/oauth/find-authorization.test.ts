import fc from 'fast-check';
import { expect, it } from 'vitest';
import { challengeParameter, findAuthorization } from './find-authorization.ts';
import type { GuardedHttp } from './guarded-http.ts';

const issuer = 'https://login.test/tenant';
const server = { issuer, token_endpoint: `${issuer}/token` };
const resource = {
  resource: 'https://mcp.test/a/mcp',
  authorization_servers: [issuer],
  scopes_supported: ['a', 'b'],
};

/** Servers that answer these addresses, and no others; `asked` are all that were tried. */
function web(pages: Record<string, object>) {
  const asked: string[] = [];
  const http: GuardedHttp = async (url) => {
    asked.push(url);
    return { status: pages[url] ? 200 : 404, headers: {}, body: { ...pages[url] } };
  };
  return { http, asked };
}

const wish = { url: 'https://mcp.test/a/mcp' };
const ofResource = 'https://mcp.test/.well-known/oauth-protected-resource/a/mcp';
const ofServer = 'https://login.test/.well-known/oauth-authorization-server/tenant';

it('finds the server by the metadata, with its scopes', async () => {
  const { http } = web({ [ofResource]: resource, [ofServer]: server });
  expect(await findAuthorization(http, wish)).toMatchObject({
    issuer,
    tokenEndpoint: `${issuer}/token`,
    resource: 'https://mcp.test/a/mcp',
    scope: 'a b',
  });
});

it('goes where the challenge points, and asks for its scope', async () => {
  const { http, asked } = web({ 'https://mcp.test/meta': resource, [ofServer]: server });
  const challenge = 'Bearer error="invalid_token", resource_metadata="https://mcp.test/meta", scope="x y"';
  expect((await findAuthorization(http, { ...wish, challenge })).scope).toBe('x y');
  expect(asked[0]).toBe('https://mcp.test/meta');
});

it('takes OpenID metadata, and the origin of a server that says nothing of itself', async () => {
  const own = { issuer: 'https://mcp.test', token_endpoint: 'https://mcp.test/token' };
  const { http } = web({ 'https://mcp.test/.well-known/openid-configuration': own });
  expect(await findAuthorization(http, wish)).toMatchObject({
    issuer: 'https://mcp.test',
    resource: wish.url,
  });
});

it.each([
  [
    'of another resource',
    { ...resource, resource: 'https://bank.test/mcp' },
    server,
    'are of another resource',
  ],
  ['of a sibling', { ...resource, resource: 'https://mcp.test/a/m' }, server, 'are of another resource'],
  ['of another issuer', resource, { ...server, issuer: 'https://evil.test' }, 'name another issuer'],
  ['without a token endpoint', resource, { issuer }, 'gives no tokens'],
])('refuses metadata %s', async (_, first, second, words) => {
  const { http } = web({ [ofResource]: first, [ofServer]: second });
  await expect(findAuthorization(http, wish)).rejects.toThrow(words);
});

it('reads any parameter of a challenge back', () => {
  const values = fc.string({ unit: 'binary-ascii' }).filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(values, values, (first, second) => {
      const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
      const challenge = `Bearer realm=${quoted(first)}, scope=${quoted(second)}`;
      expect(challengeParameter(challenge, 'realm')).toBe(first);
    }),
  );
  expect(challengeParameter('Bearer scope=abc, x=1', 'scope')).toBe('abc');
  expect(challengeParameter(undefined, 'scope')).toBeUndefined();
});
