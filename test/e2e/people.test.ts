/** People and the two official SDK clients, with a real browser between them. */

import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  Client,
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { UnauthorizedError as V1UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacksBrowser, openBrowser } from '../fixtures/browser.ts';
import { createTempFolder } from '../fixtures/memory-in-temp.ts';
import { createFlow, register } from '../fixtures/oauth-flow.ts';
import { eventually } from './eventually.ts';
import { mainPath, runCli, type RunningCoordinator, startCoordinator } from './start-coordinator.ts';

const password = 'four unrelated words';

/** Where a client on this computer waits for its person to come back. */
async function openCallback() {
  const came = Promise.withResolvers<URLSearchParams>();
  const server = createServer((request, response) => {
    came.resolve(new URL(request.url ?? '/', 'http://x').searchParams);
    response.end('back in the app');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  return {
    url,
    came: came.promise,
    [Symbol.asyncDispose]: async () => void (await new Promise((resolve) => server.close(resolve))),
  };
}

/** What the SDKs ask an app for: it keeps things, and opens a browser. */
function createKeeper(redirectUrl: string, name: string) {
  const kept: { client?: unknown; tokens?: Record<string, unknown>; verifier?: string; asked?: URL } = {};
  const provider = {
    redirectUrl,
    clientMetadata: { client_name: name, redirect_uris: [redirectUrl] },
    clientInformation: () => kept.client,
    saveClientInformation: (client: unknown) => void (kept.client = client),
    tokens: () => kept.tokens,
    saveTokens: (tokens: Record<string, unknown>) => void (kept.tokens = tokens),
    redirectToAuthorization: (url: URL) => void (kept.asked = url),
    saveCodeVerifier: (verifier: string) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier ?? '',
  } as unknown as OAuthClientProvider;
  return { kept, provider };
}

const isVisible = (page: Page, text: string) => page.getByText(text).first().isVisible();

describe.skipIf(lacksBrowser)('in a browser', () => {
  let browser: Browser;
  let coordinator: RunningCoordinator;
  beforeAll(async () => {
    browser = await openBrowser();
    coordinator = await startCoordinator({ servers: 1, args: ['--auth', 'required'] });
  });
  afterAll(async () => {
    await browser?.close();
    await coordinator?.[Symbol.asyncDispose]();
  });

  async function invited(login: string): Promise<string> {
    const args = ['users', 'invite', '--login', login, '--role', 'developer', '--data', coordinator.dataDir];
    return (await runCli(args)).stdout.trim();
  }

  async function setPassword(page: Page, link: string): Promise<void> {
    await page.goto(link);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('Password, once more').fill(password);
    await page.getByRole('button', { name: 'Save and sign in' }).click();
    await page.waitForURL(`${coordinator.origin}/account`);
  }

  it('somebody invited sets a password, once, and the v2 client gets in, refreshes and is revoked', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    const link = await invited('anna@example.org');
    await setPassword(page, link);
    expect((await page.goto(link))!.status()).toBe(404);

    await using callback = await openCallback();
    const { kept, provider } = createKeeper(callback.url, 'Anna’s app');
    const connect = async (transport: StreamableHTTPClientTransport) => {
      const client = new Client({ name: 'app', version: '1' });
      await client.connect(transport);
      return client;
    };
    const open = () =>
      new StreamableHTTPClientTransport(new URL(coordinator.url), { authProvider: provider });
    const first = open();
    await expect(connect(first)).rejects.toBeInstanceOf(UnauthorizedError);
    await page.goto(String(kept.asked));
    expect(await isVisible(page, 'Let this app in?')).toBe(true);
    expect(await isVisible(page, 'Anna’s app')).toBe(true);
    await page.getByRole('button', { name: 'Let it in' }).click();
    await page.getByText('back in the app').waitFor();
    await first.finishAuth(await callback.came);
    const client = await connect(open());
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    const stored = await client.callTool({ name: 'memory_store', arguments: { key: 'who', value: 'anna' } });
    expect(stored.isError).not.toBe(true);
    await client.close();

    const former = String(kept.tokens!['refresh_token']);
    // What the client believes to be over is refreshed by it.
    kept.tokens = { ...kept.tokens, access_token: 'ey.over.over' };
    const later = await connect(open());
    expect((await later.listTools()).tools.length).toBeGreaterThan(0);
    expect(kept.tokens['refresh_token']).not.toBe(former);
    await later.close();

    await page.goto(`${coordinator.origin}/account`);
    await page.getByRole('button', { name: 'Take leave away' }).click();
    await page.getByText('None yet.').waitFor();
    await expect(connect(open())).rejects.toThrow();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(/\/login/);
    await page.goto(`${coordinator.origin}/account`);
    expect(page.url()).toContain('/login');
    await context.close();
  });

  it('the v1 client sends its person to sign in, and gets in', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await setPassword(page, await invited('สมชาย@example.org'));
    await context.clearCookies();
    await using callback = await openCallback();
    const { kept, provider } = createKeeper(callback.url, 'v1 app');
    const open = () => new V1Transport(new URL(coordinator.url), { authProvider: provider });
    const first = open();
    const client = new V1Client({ name: 'app', version: '1' });
    await expect(client.connect(first)).rejects.toBeInstanceOf(V1UnauthorizedError);
    await page.goto(String(kept.asked));
    await page.getByLabel('Login').fill('สมชาย@Example.ORG');
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(await page.getByRole('alert').innerText()).toContain('wrong');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Let it in' }).click();
    await page.getByText('back in the app').waitFor();
    await first.finishAuth((await callback.came).get('code')!);
    const again = new V1Client({ name: 'app', version: '1' });
    await again.connect(open());
    expect((await again.listTools()).tools.length).toBeGreaterThan(0);
    await again.close();
    await context.close();
  });

  it.each([
    ['en', 'light', 1280],
    ['th', 'dark', 320],
  ] as const)('pages fit in %s, %s, %i pixels wide', async (locale, colorScheme, width) => {
    const context = await browser.newContext({ locale, colorScheme, viewport: { width, height: 720 } });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    const look = async (name: string) => {
      // As strings: these run in the page, whose names the compiler does not know here.
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      expect(await page.evaluate('document.documentElement.lang')).toBe(locale);
      const folder = process.env['SCREENSHOTS'];
      if (folder !== undefined) await page.screenshot({ path: join(folder, `${locale}-${name}.png`) });
    };
    for (const path of ['/login', '/login/first?token=x']) {
      await page.goto(coordinator.origin + path);
      await look(path.replaceAll(/\W+/g, '-'));
    }
    await page.goto(await invited(`${locale}@example.org`));
    await look('invited');
    await page.locator('#password').fill(password);
    await page.locator('#again').fill(password);
    await page.locator('button').click();
    await page.waitForURL(/account$/);
    await look('account');
    const { client_id: clientId } = await register(coordinator.origin, { client_name: 'แอปทดสอบ' });
    await page.goto(createFlow(coordinator.origin, clientId).authorizeUrl());
    await look('consent');
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
    await context.close();
  });

  it('the first owner comes in by the link of the terminal, which is nowhere else', async () => {
    await using folder = await createTempFolder();
    const args = [
      mainPath,
      'start',
      '--auth',
      'required',
      '--servers',
      '0',
      '--port',
      '0',
      '--data',
      folder.path,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder.path });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    try {
      const link = await eventually(
        'the link',
        () => /^http:\S+\/login\/first\?token=\S+$/m.exec(output)?.[0],
        30_000,
      );
      const token = new URL(link).searchParams.get('token')!;
      const page = await browser.newPage();
      await page.goto(link);
      await page.getByLabel('Login').fill('owner@example.org');
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByLabel('Password, once more').fill('something else here');
      await page.getByRole('button', { name: 'Save and sign in' }).click();
      expect(await page.getByRole('alert').innerText()).toContain('not the same');
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByLabel('Password, once more').fill(password);
      await page.getByRole('button', { name: 'Save and sign in' }).click();
      await page.waitForURL(/\/account$/);
      expect(await isVisible(page, 'owner@example.org')).toBe(true);
      expect((await page.goto(link))!.status()).toBe(404);
      await page.close();
      const logged = output.split('\n').filter((line) => line.startsWith('{'));
      expect(logged.join('\n')).not.toContain(token);
      for (const name of await readdir(folder.path))
        if (name.startsWith('state.sqlite'))
          expect((await readFile(join(folder.path, name), 'latin1')).includes(token)).toBe(false);
    } finally {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    }
  });
});
