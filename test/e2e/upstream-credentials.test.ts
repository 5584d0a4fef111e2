/** Servers that want tokens, and a real provider that gives them: for the gateway itself, and for each of its users. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filesHolding } from '../fixtures/files-holding.ts';
import { robot, startProtectedUpstream, walk } from '../fixtures/protected-upstream.ts';
import { runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

let upstream: Awaited<ReturnType<typeof startProtectedUpstream>>;
let coordinator: RunningCoordinator;
const keys: string[] = [];

interface Answer {
  readonly result?: {
    readonly resultType?: string;
    readonly content?: { readonly text: string }[];
    readonly inputRequests?: Record<string, { params: { mode: string; url: string } }>;
  };
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { elicitations?: { mode: string }[]; url?: string };
  };
}

/** A call of the modern era by one user; `answers` is what they did with the questions of the call before. */
async function call(
  server: string,
  key: string,
  capabilities: object = {},
  answers?: object,
): Promise<Answer> {
  const meta = (name: string) => `io.modelcontextprotocol/${name}`;
  const answer = await fetch(coordinator.serverUrl(server), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'whoami',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: {
        name: 'whoami',
        arguments: {},
        ...(answers && { inputResponses: answers }),
        _meta: {
          [meta('protocolVersion')]: '2026-07-28',
          [meta('clientCapabilities')]: capabilities,
          [meta('clientInfo')]: { name: 'test', version: '1' },
        },
      },
    }),
  });
  const text = await answer.text();
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as Answer;
}

const textOf = ({ result }: Answer) => result?.content?.[0]?.text;
const urls = { elicitation: { url: {} } };

beforeAll(async () => {
  upstream = await startProtectedUpstream();
  const auth = { type: 'authorization-code', allowHosts: ['127.0.0.1'] };
  coordinator = await startCoordinator({
    servers: 0,
    args: ['--auth', 'required'],
    env: { ROBOT_SECRET: robot.clientSecret },
    config: {
      logLevel: 'debug',
      mcpServers: {
        robot: {
          url: upstream.url,
          auth: {
            type: 'client-credentials',
            clientId: robot.clientId,
            clientSecret: { env: 'ROBOT_SECRET' },
            allowHosts: ['127.0.0.1'],
          },
        },
        person: { url: upstream.url, auth },
        own: { url: upstream.url, auth: { type: 'static', whose: 'per-user', secret: 'own-token' } },
        forbidden: {
          url: upstream.url,
          lazy: true,
          auth: {
            ...auth,
            type: 'client-credentials',
            clientId: 'x',
            clientSecret: { env: 'ROBOT_SECRET' },
            allowHosts: [],
          },
        },
      },
    },
  });
  for (const name of ['anna', 'bob']) {
    const args = [
      'keys',
      'create',
      '--name',
      name,
      '--role',
      'agent',
      '--json',
      '--data',
      coordinator.dataDir,
    ];
    keys.push((JSON.parse((await runCli(args)).stdout) as { key: string }).key);
  }
});

afterAll(async () => {
  await coordinator?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
});

it('the gateway has a token of its own by client credentials, found by the metadata', async () => {
  expect(textOf(await call('robot', keys[0]!))).toBe('robot');
});

it('a token that is refused is got anew once, and the call goes through', async () => {
  expect(textOf(await call('robot', keys[0]!))).toBe('robot');
  upstream.refuse(20);
  const failed = await call('robot', keys[0]!);
  expect(failed.error?.message).toContain('401');
  upstream.refuse(0);
  expect(textOf(await call('robot', keys[0]!))).toBe('robot');
});

it('a host off the public internet is not asked for tokens unless it is allowed', async () => {
  const { error } = await call('forbidden', keys[0]!);
  expect(error?.message).toMatch(/not on the public internet/);
});

it('a modern client is asked to open a URL, and the call works when the user has signed in', async () => {
  const [key] = keys as [string];
  const asked = await call('person', key, urls);
  expect(asked.result?.resultType).toBe('input_required');
  const [[name, { params }]] = Object.entries(asked.result!.inputRequests!) as [
    [string, { params: { mode: string; url: string } }],
  ];
  expect(params.mode).toBe('url');
  const accepted = { [name]: { action: 'accept' } };
  const waiting = call('person', key, urls, accepted);
  expect(await walk(params.url)).toContain('can be used now');
  expect(textOf(await waiting)).toBe('anna');
  expect(textOf(await call('person', key, urls))).toBe('anna');
  expect(await walk(params.url)).toContain('was used already');
});

it('another user is asked too; declining ends the call; a client that knows no URLs gets one in the error', async () => {
  const key = keys[1]!;
  const declined = { 'git-memory-mcp/sign-in': { action: 'decline' } };
  expect((await call('person', key, urls, declined)).error?.message).toContain('did not give leave');
  const { error } = await call('person', key);
  expect(error).toMatchObject({ code: -32042, data: { elicitations: [{ mode: 'url' }] } });
});

it('the page of a try does not serve another browser', async () => {
  const { error } = await call('person', keys[1]!);
  const ticket = new URL(error!.data.url!).searchParams.get('ticket')!;
  const page = await fetch(error!.data.url!);
  expect(await page.text()).toContain('Go on only if you have asked for this');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const back = await fetch(`${coordinator.origin}/oauth/upstream/callback?state=${ticket}&code=stolen`);
  expect([back.status, await back.text()]).toEqual([400, expect.stringContaining('another browser')]);
});

it('a legacy client is asked on the stream of its call', async () => {
  const client = new Client({ name: 'legacy', version: '1' }, { capabilities: urls });
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    expect(params).toMatchObject({ mode: 'url', elicitationId: expect.any(String) as string });
    await walk((params as unknown as { url: string }).url);
    return { action: 'accept' as const };
  });
  const headers = { authorization: `Bearer ${keys[1]!}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(coordinator.serverUrl('person')), { requestInit: { headers } }),
  );
  const result = await client.callTool({ name: 'whoami', arguments: {} });
  expect(textOf({ result: result as Answer['result'] & object })).toBe('anna');
  await client.close();
});

it('a static credential of a user is sent for that user only', async () => {
  const missing = await call('own', keys[0]!);
  const user = /--user (\S+)/.exec(missing.error!.message)![1]!;
  expect(user).toMatch(/^key:/);
  const { access_token: token } = (await (
    await fetch(`${upstream.issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${robot.clientId}:${robot.clientSecret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'mcp', resource: upstream.url }),
    })
  ).json()) as { access_token: string };
  const { secretFile } = await writeSecret(token);
  await runCli([
    'secrets',
    'set',
    'own-token',
    '--user',
    user,
    '--file',
    secretFile,
    '--data',
    coordinator.dataDir,
  ]);
  expect(textOf(await call('own', keys[0]!))).toBe('robot');
  expect((await call('own', keys[1]!)).error?.message).toContain('needs credentials of yours');
});

it("no server ever saw a client's key, and no token is in clear on disk or in the log", async () => {
  const tokens = upstream.seen
    .map((header) => header.replace(/^Bearer /, ''))
    .filter((token) => token !== '');
  expect(tokens.length).toBeGreaterThan(5);
  for (const key of keys) expect(upstream.seen.join('\n')).not.toContain(key);
  const words = [...new Set(tokens), robot.clientSecret];
  for (const word of words) expect(coordinator.output()).not.toContain(word);
  expect(await filesHolding(coordinator.dataDir, words)).toEqual([]);
  const metrics = await fetch(`${coordinator.origin}/metrics`, {
    headers: { authorization: `Bearer ${await owner()}` },
  });
  const text = await metrics.text();
  expect(text).toMatch(/upstream_token_refreshes_total\{server="robot",outcome="ok"\} [1-9]/);
  expect(text).toMatch(/upstream_token_expiry_seconds\{server="robot"\} 3[0-9]{3}/);
});

async function owner(): Promise<string> {
  const args = ['keys', 'create', '--name', 'o', '--role', 'owner', '--json', '--data', coordinator.dataDir];
  return (JSON.parse((await runCli(args)).stdout) as { key: string }).key;
}

async function writeSecret(text: string): Promise<{ secretFile: string }> {
  const secretFile = join(coordinator.dataDir, '..', 'value.txt');
  await writeFile(secretFile, text);
  return { secretFile };
}
