/** Clients whose id is the URL of a document (Client ID Metadata Documents). */

import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HttpsSite, openHttpsSite } from '../fixtures/https-site.ts';
import { createFlow, redirectUri } from '../fixtures/oauth-flow.ts';
import { createVisitor } from '../fixtures/visitor.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

let site: HttpsSite;
let hidden: HttpsSite;
let coordinator: RunningCoordinator;
let asked: string[] = [];
const password = 'four unrelated words';

const documents: Readonly<Record<string, (id: string) => unknown>> = {
  '/good.json': (id) => ({ client_id: id, client_name: 'Document app', redirect_uris: [redirectUri] }),
  '/other.json': () => ({ client_id: `${site.origin}/good.json`, redirect_uris: [redirectUri] }),
  '/secret.json': (id) => ({ client_id: id, client_secret: 'x', redirect_uris: [redirectUri] }),
  '/huge.json': (id) => ({ client_id: id, redirect_uris: [redirectUri], client_name: 'x'.repeat(100_000) }),
  '/list.json': () => [],
};

const serve: RequestListener = (request, response) => {
  const path = request.url ?? '/';
  asked.push(path);
  if (path === '/moved.json') response.writeHead(302, { location: '/good.json' }).end();
  else if (!documents[path]) response.writeHead(404).end();
  else {
    const id = `https://${request.headers.host}${path}`;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(documents[path](id)));
  }
};

beforeAll(async () => {
  site = await openHttpsSite(serve);
  hidden = await openHttpsSite(serve);
  coordinator = await startCoordinator({
    args: ['--auth', 'required'],
    config: { auth: { oauth: { clientDocuments: { allowHosts: [new URL(site.origin).host] } } } },
    env: { NODE_EXTRA_CA_CERTS: site.certificatePath },
  });
});
afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await site?.[Symbol.asyncDispose]();
  await hidden?.[Symbol.asyncDispose]();
});

it('get in when a person lets them, and are asked for once', async () => {
  const login = 'anna@example.org';
  const { stdout } = await runCli([
    'users',
    'invite',
    '--login',
    login,
    '--role',
    'agent',
    '--data',
    coordinator.dataDir,
  ]);
  const visitor = createVisitor(coordinator.origin);
  await visitor.submit(await visitor.open(stdout.trim()), { password, again: password });
  const flow = createFlow(coordinator.origin, `${site.origin}/good.json`);
  const page = await visitor.open(flow.authorizeUrl());
  expect(page.text).toContain('Document app');
  expect(page.text).toContain(`${site.origin}/good.json`);
  const { url } = await visitor.submit(page, { answer: 'allow' });
  const tokens = await flow.exchange(url);
  expect(tokens.status).toBe(200);
  expect((await flow.refresh(tokens.refresh_token)).status).toBe(200);
  expect(asked.filter((path) => path === '/good.json')).toHaveLength(1);
});

it.each(['/other.json', '/secret.json', '/huge.json', '/list.json', '/moved.json', '/missing.json'])(
  'are refused by %s',
  async (path) => {
    asked = [];
    const flow = createFlow(coordinator.origin, site.origin + path);
    const page = await createVisitor(coordinator.origin).open(flow.authorizeUrl());
    expect([page.status, new URL(page.url).origin]).toEqual([400, coordinator.origin]);
    expect([...new Set(asked)]).toEqual([path]);
  },
);

it.each([
  () => `${hidden.origin}/good.json`,
  () => `${site.origin.replace('localhost', '127.0.0.1')}/good.json`,
  () => `${site.origin.replace('https', 'http')}/good.json`,
  () => 'https://169.254.169.254/latest/meta-data',
  () => 'https://[::1]/x.json',
])('are not even asked for where the config opens nothing: %#', async (idOf) => {
  asked = [];
  const page = await createVisitor(coordinator.origin).open(
    createFlow(coordinator.origin, idOf()).authorizeUrl(),
  );
  expect(page.status).toBe(400);
  expect(asked).toEqual([]);
});
