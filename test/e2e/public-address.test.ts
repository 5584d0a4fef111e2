/** A gateway behind a proxy that speaks https for it, and one whose people sign in elsewhere. */

import { request } from 'node:http';
import { expect, it } from 'vitest';
import { type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

/** As the proxy asks: by the name that people know. */
async function ask(
  coordinator: RunningCoordinator,
  path: string,
  headers: Readonly<Record<string, string>> = {},
) {
  const answer = Promise.withResolvers<{
    status: number;
    text: string;
    cookies: string[];
    challenge: string;
  }>();
  request(coordinator.origin + path, { headers }, (incoming) => {
    let text = '';
    incoming.setEncoding('utf8').on('data', (part: string) => (text += part));
    incoming.on('end', () =>
      answer.resolve({
        status: incoming.statusCode ?? 0,
        text,
        cookies: incoming.headers['set-cookie'] ?? [],
        challenge: incoming.headers['www-authenticate'] ?? '',
      }),
    );
  })
    .on('error', answer.reject)
    .end();
  return await answer.promise;
}

it('is known by the address of its proxy, whatever a client says about that', async () => {
  await using coordinator = await startCoordinator({
    args: ['--auth', 'required'],
    config: { auth: { publicUrl: 'https://gateway.example.org' } },
  });
  const headers = {
    host: 'gateway.example.org',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'gopher',
  };
  const { challenge } = await ask(coordinator, '/mcp', headers);
  expect(challenge).toBe(
    'Bearer resource_metadata="https://gateway.example.org/.well-known/oauth-protected-resource/mcp"',
  );
  const resource = await ask(coordinator, '/.well-known/oauth-protected-resource/mcp', headers);
  expect(JSON.parse(resource.text)).toMatchObject({
    resource: 'https://gateway.example.org/mcp',
    authorization_servers: ['https://gateway.example.org'],
  });
  const metadata = await ask(coordinator, '/.well-known/oauth-authorization-server', headers);
  expect(JSON.parse(metadata.text)).toMatchObject({
    issuer: 'https://gateway.example.org',
    authorization_endpoint: 'https://gateway.example.org/oauth/authorize',
    token_endpoint: 'https://gateway.example.org/oauth/token',
  });
  const { cookies } = await ask(coordinator, '/login', headers);
  expect(cookies.join()).toMatch(
    /^__Host-gmm_form=[\w-]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  );
  expect((await ask(coordinator, '/login', { host: 'evil.example' })).status).toBe(403);
});

it('sends clients to a server of its own, and signs nobody in', async () => {
  await using coordinator = await startCoordinator({
    args: ['--auth', 'required'],
    config: { auth: { external: { issuer: 'https://login.example.org', audience: 'gateway' } } },
  });
  const resource = await ask(coordinator, '/.well-known/oauth-protected-resource/mcp');
  expect(JSON.parse(resource.text)).toMatchObject({ authorization_servers: ['https://login.example.org'] });
  for (const path of ['/login', '/oauth/authorize', '/.well-known/oauth-authorization-server'])
    expect((await ask(coordinator, path)).status).toBe(401);
});
