/** The authorization server of a real coordinator, by hand: the way in, and the ways that must not lead in. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFlow, redirectUri, register } from '../fixtures/oauth-flow.ts';
import { createVisitor, type Visitor } from '../fixtures/visitor.ts';
import { eventually } from './eventually.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

let coordinator: RunningCoordinator;
let anna: Visitor;
let clientId: string;
const person = { login: 'anna@example.org', password: 'four unrelated words' };

const users = (...args: string[]) => runCli(['users', ...args, '--data', coordinator.dataDir, '--json']);

/** Somebody new with a password, signed in. */
async function invite(login: string, role: string, password = person.password): Promise<Visitor> {
  const { stdout } = await users('invite', '--login', login, '--role', role);
  const { link } = JSON.parse(stdout) as { link: string };
  const visitor = createVisitor(coordinator.origin);
  const page = await visitor.submit(await visitor.open(link), { password, again: password });
  expect([page.url, page.status]).toEqual([`${coordinator.origin}/account`, 200]);
  return visitor;
}

async function tokensFor(visitor: Visitor = anna, resource = coordinator.url) {
  const flow = createFlow(coordinator.origin, clientId);
  const { url } = await flow.letIn(visitor, person, { resource });
  const tokens = await flow.exchange(url);
  expect(tokens).toMatchObject({ status: 200, token_type: 'Bearer' });
  return { flow, tokens, callback: url };
}

const status = async (path: string, token: string) =>
  (await fetch(`${coordinator.origin}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
/** A GET of the endpoint: 401 for who is not let in, anything else for who is. */
const opens = async (token: string, path = '/mcp') => ![401, 403].includes(await status(path, token));

beforeAll(async () => {
  coordinator = await startCoordinator({ args: ['--auth', 'required'] });
  anna = await invite(person.login, 'developer');
  clientId = (await register(coordinator.origin)).client_id;
});
afterAll(async () => coordinator?.[Symbol.asyncDispose]());

describe('a client that a person let in', () => {
  it('gets a token for one resource, in the name of the person', async () => {
    const { tokens, callback } = await tokensFor();
    const query = new URL(callback).searchParams;
    expect([query.get('state'), query.get('iss')]).toEqual(['kept', coordinator.origin]);
    expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    const claims = decodeJwt(tokens.access_token);
    expect(claims).toMatchObject({
      iss: coordinator.origin,
      aud: coordinator.url,
      client_id: clientId,
      scope: 'mcp',
    });
    expect(claims.exp! - claims.iat!).toBe(600);
    expect(await opens(tokens.access_token)).toBe(true);
    expect(await opens(tokens.access_token, '/mcp/servers/none')).toBe(true);
    expect(await opens(tokens.access_token, '/api/v1/status')).toBe(false);
    expect(await opens(tokens.access_token, '/mcpx')).toBe(false);
  });

  it('has a token for a part open that part only, and one for the whole everything its role may', async () => {
    const part = await tokensFor(anna, `${coordinator.url}/servers/none`);
    expect(await opens(part.tokens.access_token, '/mcp/servers/none')).toBe(true);
    expect(await opens(part.tokens.access_token)).toBe(false);
    const whole = await tokensFor(anna, coordinator.origin);
    expect(await status('/api/v1/status', whole.tokens.access_token)).toBe(200);
    expect(await status('/api/v1/servers/none', whole.tokens.access_token)).not.toBe(401);
  });

  it('refreshes, and loses everything when a refresh token comes twice', async () => {
    const { flow, tokens } = await tokensFor();
    const next = await flow.refresh(tokens.refresh_token);
    expect(next.status).toBe(200);
    expect(next.refresh_token).not.toBe(tokens.refresh_token);
    expect(await opens(next.access_token)).toBe(true);
    expect(await flow.refresh(tokens.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await flow.refresh(next.refresh_token)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await opens(next.access_token)).toBe(false);
  });

  it('gives its tokens back', async () => {
    const { flow, tokens } = await tokensFor();
    expect((await flow.revoke(tokens.refresh_token)).status).toBe(200);
    expect(await opens(tokens.access_token)).toBe(false);
    expect((await flow.refresh(tokens.refresh_token)).error).toBe('invalid_grant');
  });

  it('loses them when the person takes leave away', async () => {
    const { flow, tokens } = await tokensFor();
    const page = await anna.open(`${coordinator.origin}/account`);
    expect(page.text).toContain('By hand');
    const after = await anna.submit(page, {});
    expect(after.text).not.toContain('By hand');
    expect(await opens(tokens.access_token)).toBe(false);
    expect((await flow.refresh(tokens.refresh_token)).error).toBe('invalid_grant');
  });

  it('loses them when the person is disabled, and follows their role', async () => {
    const other = await invite('ben@example.org', 'viewer');
    const { flow, tokens } = await tokensFor(other, coordinator.origin);
    expect(await status('/api/v1/memory-stats', tokens.access_token)).toBe(403);
    await users('set-role', 'ben@example.org', 'developer');
    await eventually('the new role', async () =>
      (await status('/api/v1/memory-stats', tokens.access_token)) === 200 ? true : undefined,
    );
    await users('disable', 'Ben@Example.org');
    await eventually('the refusal', async () => ((await opens(tokens.access_token)) ? undefined : true));
    expect((await flow.refresh(tokens.refresh_token)).error).toBe('invalid_grant');
    expect((await other.open(`${coordinator.origin}/account`)).url).toContain('/login');
  });
});

it('leave is remembered for an app on https, and asked for each time by one on this computer', async () => {
  const uri = 'https://app.example/cb';
  const web = await register(coordinator.origin, { redirect_uris: [uri] });
  const flow = createFlow(coordinator.origin, web.client_id);
  const first = await anna.open(flow.authorizeUrl({ redirect_uri: uri }));
  expect(first.text).toContain('Let this app in?');
  await anna.submit(first, { answer: 'allow' });
  const again = await anna.open(flow.authorizeUrl({ redirect_uri: uri }));
  expect(again.url).toMatch(/^https:\/\/app\.example\/cb\?code=/);
  await tokensFor();
  const local = await anna.open(createFlow(coordinator.origin, clientId).authorizeUrl());
  expect(local.text).toContain('Let this app in?');
});

describe('nobody gets in', () => {
  it('with a code twice, and the tokens of the first time end', async () => {
    const { flow, tokens, callback } = await tokensFor();
    expect(await flow.exchange(callback)).toMatchObject({ status: 400, error: 'invalid_grant' });
    expect(await opens(tokens.access_token)).toBe(false);
  });

  it.each([
    ['another verifier', { code_verifier: 'x'.repeat(43) }],
    ['another redirect', { redirect_uri: `${redirectUri}/other` }],
    ['another client', { client_id: 'other' }],
  ])('with %s', async (_, changed) => {
    const flow = createFlow(coordinator.origin, clientId);
    const { url } = await flow.letIn(anna, person);
    const answer = await flow.exchange(url, changed);
    expect([400, 401]).toContain(answer.status);
    expect(answer.access_token).toBeUndefined();
  });

  it.each([
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ['a foreign resource', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    ['a resource beside /mcp', { resource: 'http://127.0.0.1/mcp/../api' }, 'invalid_target'],
  ])('by %s', async (_, changed, error) => {
    const { url } = await createFlow(coordinator.origin, clientId).letIn(anna, person, changed);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:9\/callback/);
    const query = new URLSearchParams(new URL(url).hash.slice(1) || new URL(url).search);
    expect(query.get('error')).toBe(error);
    expect(query.get('code')).toBeNull();
  });

  it.each([
    'https://evil.example/callback',
    'http://127.0.0.1:9/other',
    'http://127.0.0.1:9/callback/../x',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1:9@evil.example/callback',
    'javascript:alert(1)',
    '//evil.example',
  ])('by being sent to %s', async (uri) => {
    const page = await anna.open(
      createFlow(coordinator.origin, clientId).authorizeUrl({ redirect_uri: uri }),
    );
    expect([page.status, new URL(page.url).origin]).toEqual([400, coordinator.origin]);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('to another port of the same computer only when the client is one of it', async () => {
    const moved = redirectUri.replace(':9/', ':4321/');
    const { url } = await createFlow(coordinator.origin, clientId).letIn(anna, person, {
      redirect_uri: moved,
    });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:4321\/callback\?code=/);
    const web = await register(coordinator.origin, { redirect_uris: ['https://app.example/cb'] });
    const page = await anna.open(
      createFlow(coordinator.origin, web.client_id).authorizeUrl({
        redirect_uri: 'https://app.example:444/cb',
      }),
    );
    expect(page.status).toBe(400);
  });

  it.each(['https://evil.example', '//evil.example', '/\\evil.example', '/oauth/authorize', 'javascript:x'])(
    'and no sign-in leads to %s',
    async (next) => {
      const visitor = createVisitor(coordinator.origin);
      const page = await visitor.open(`${coordinator.origin}/login?next=${encodeURIComponent(next)}`);
      expect((await visitor.submit(page, person)).url).toBe(`${coordinator.origin}/account`);
      expect((await visitor.submit(page, { ...person, next })).url).not.toContain('evil');
    },
  );

  it('with a token that somebody else signed, or for somebody else', async () => {
    const { tokens } = await tokensFor();
    const { privateKey } = await generateKeyPair('EdDSA');
    const header = decodeProtectedHeader(tokens.access_token);
    const forged = await new SignJWT(decodeJwt(tokens.access_token))
      .setProtectedHeader({ ...header, alg: 'EdDSA' })
      .sign(privateKey);
    const [head, body] = tokens.access_token.split('.') as [string, string];
    const none = Buffer.from(JSON.stringify({ ...header, alg: 'none' })).toString('base64url');
    for (const token of [
      forged,
      `${none}.${body}.`,
      `${head}.${body}.AAAA`,
      `${tokens.access_token}x`,
      'ey.a.b',
    ])
      expect(await opens(token)).toBe(false);
    // By another name the gateway is another resource.
    const localhost = coordinator.url.replace('127.0.0.1', 'localhost');
    const answer = await fetch(localhost, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    expect(answer.status).toBe(401);
  });

  it('by a form of a foreign page, or without the cookie that belongs to it', async () => {
    const flow = createFlow(coordinator.origin, clientId);
    const page = await anna.open(flow.authorizeUrl());
    expect(page.text).toContain('Let this app in?');
    const stale = await anna.submit(page, { answer: 'allow', form: 'x'.repeat(43) });
    expect(stale.url).toContain('/oauth/interaction/');
    expect(stale.text).toContain('role="alert"');
    const foreign = await fetch(page.url, {
      method: 'POST',
      headers: { origin: 'https://evil.example', 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(foreign.status).toBe(403);
    const refused = await anna.submit(page, { answer: 'refuse' });
    expect(new URL(refused.url).searchParams.get('error')).toBe('access_denied');
    const again = await anna.open(page.url);
    expect(again.status).toBe(404);
  });

  it('by guessing, and is not told whether there is such a person', async () => {
    const visitor = createVisitor(coordinator.origin);
    const page = await visitor.open(`${coordinator.origin}/login`);
    const tryAs = (login: string) => visitor.submit(page, { login, password: 'not the password' });
    const unknown = await tryAs('nobody@example.org');
    const known = await tryAs('anna@example.org');
    expect([unknown.status, known.status]).toEqual([401, 401]);
    const bare = (text: string) => text.replaceAll(/value="[^"]*"/g, '');
    expect(bare(unknown.text)).toBe(bare(known.text));
    const more = [];
    for (let n = 0; n < 10; n += 1) more.push((await tryAs('nobody@example.org')).status);
    expect(more.at(-1)).toBe(429);
    expect((await visitor.submit(page, person)).status).toBe(200);
  });
});

describe('registration', () => {
  it.each([
    [
      'a loopback app that says nothing of itself',
      {},
      { application_type: 'native', token_endpoint_auth_method: 'none' },
    ],
    ['one that says it is of the web', { application_type: 'web' }, { application_type: 'native' }],
    [
      'one that wants a secret',
      { token_endpoint_auth_method: 'client_secret_post' },
      { token_endpoint_auth_method: 'none' },
    ],
    [
      'one with a scheme of its own',
      { redirect_uris: ['cursor://anysphere.cursor/callback'] },
      { application_type: 'native' },
    ],
    ['one with scopes of others', { scope: 'read write' }, { status: 201 }],
    ['one named in Thai', { client_name: 'แอปของฉัน' }, { client_name: 'แอปของฉัน' }],
  ])('takes %s', async (_, metadata, expected) => {
    const made = await register(coordinator.origin, metadata);
    expect(made).toMatchObject({ status: 201, ...expected });
    expect(made['client_secret']).toBeUndefined();
  });

  it.each([
    ['plain http elsewhere', { redirect_uris: ['http://app.example/cb'] }],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }],
    ['a fragment', { redirect_uris: [`${redirectUri}#x`] }],
    ['no redirect', { redirect_uris: [] }],
    ['a name that turns the text around', { client_name: 'a\u202Eb' }],
    ['the implicit flow', { response_types: ['token'] }],
  ])('refuses %s', async (_, metadata) => {
    expect(await register(coordinator.origin, metadata)).toMatchObject({ status: 400 });
  });
});

it('keeps passwords, codes and tokens as hashes only, and its key to itself', async () => {
  const { tokens, callback } = await tokensFor();
  const files = (await readdir(coordinator.dataDir)).filter((name) => name.startsWith('state.sqlite'));
  const stored = await Promise.all(files.map((name) => readFile(join(coordinator.dataDir, name), 'latin1')));
  const text = [...stored, coordinator.output()].join('\n');
  expect(text).toContain(person.login);
  expect(coordinator.output()).not.toContain('oidc-provider');
  const secrets = [
    person.password,
    tokens.refresh_token,
    tokens.access_token,
    anna.cookies.get('gmm_session')!,
  ];
  for (const secret of [...secrets, new URL(callback).searchParams.get('code')!])
    expect(text.includes(secret)).toBe(false);
  if (process.platform !== 'win32')
    expect((await stat(join(coordinator.dataDir, 'oauth-keys.json'))).mode & 0o777).toBe(0o600);
});

it('counts sign-ins and tokens', async () => {
  const { stdout } = await runCli([
    'keys',
    'create',
    '--name',
    'm',
    '--role',
    'viewer',
    '--data',
    coordinator.dataDir,
    '--json',
  ]);
  const { key } = JSON.parse(stdout) as { key: string };
  const answer = await fetch(`${coordinator.origin}/metrics`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const text = await answer.text();
  expect(text).toMatch(/^git_memory_mcp_logins_total\{outcome="wrong"\} [1-9]/m);
  expect(text).toMatch(/^git_memory_mcp_issued_tokens_total\{kind="refresh"\} [1-9]/m);
  expect(text).toMatch(/^git_memory_mcp_issued_tokens_total\{kind="access"\} [1-9]/m);
});

it('writes sign-ins down, with whose they were', async () => {
  const { stdout } = await runCli([
    'audit',
    'list',
    '--limit',
    '500',
    '--data',
    coordinator.dataDir,
    '--json',
  ]);
  const items = (
    JSON.parse(stdout) as { items: { way: string; action: string; target: string; outcome: string }[] }
  ).items;
  const signIns = items.filter(({ way }) => way === 'web');
  expect(signIns).toContainEqual(
    expect.objectContaining({ action: 'sign-in', target: 'anna@example.org', outcome: 'ok' }),
  );
  expect(signIns.map(({ action }) => action)).toContain('set-password');
  expect(signIns.map(({ outcome }) => outcome)).toContain('refused');
  expect(stdout).not.toContain(person.password);
});
