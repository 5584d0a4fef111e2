/** A coordinator that speaks TLS: every way in, a new certificate while it runs, and clients that show theirs. */

import { readFile, rename } from 'node:fs/promises';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hasOpenssl, type MadeCertificate, makeCertificate } from '../fixtures/certificates.ts';
import { createTempFolder } from '../fixtures/memory-in-temp.ts';
import { connectStdio } from './connect-client.ts';
import { eventually } from './eventually.ts';
import { mainPath, runCli, startCoordinator } from './start-coordinator.ts';

/** Each of them starts many processes. */
vi.setConfig({ testTimeout: 120_000 });
const canMake = await hasOpenssl();
const open = new AsyncDisposableStack();
let folder: string;
let authority: MadeCertificate;
let server: MadeCertificate;
let client: MadeCertificate;

beforeAll(async () => {
  if (!canMake) return;
  folder = open.use(await createTempFolder()).path;
  authority = await makeCertificate(folder, { name: 'authority', isAuthority: true });
  server = await makeCertificate(folder, { name: 'server', issuer: authority });
  client = await makeCertificate(folder, { name: 'client', issuer: authority });
});
afterAll(() => open.disposeAsync());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

async function ask(url: string, options: RequestOptions = {}): Promise<Answer> {
  const ca = await readFile(authority.cert);
  return await new Promise((resolve, reject) => {
    const request = httpsRequest(url, { ca, agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    request.on('error', reject);
    request.end();
  });
}

const pair = async ({ cert, key }: MadeCertificate) => ({
  cert: await readFile(cert),
  key: await readFile(key),
});
const tlsArgs = () => ['--tls-cert', server.cert, '--tls-key', server.key];

describe.skipIf(!canMake)('with a certificate', () => {
  it('speaks HTTPS to REST, MCP and the command line, which trusts what the data folder names', async () => {
    await using coordinator = await startCoordinator({ servers: 1, args: tlsArgs() });
    expect(coordinator.url).toMatch(/^https:/);
    const { headers } = await ask(`${coordinator.origin}/healthz`);
    expect(headers).toMatchObject({
      'strict-transport-security': 'max-age=31536000',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(headers).not.toHaveProperty('server');
    expect(headers).not.toHaveProperty('x-powered-by');
    expect((await ask(`${coordinator.origin}/metrics`)).text).toMatch(
      /git_memory_mcp_tls_certificate_seconds_left 2\d{6}/,
    );
    const data = ['--data', coordinator.dataDir];
    expect(await runCli(['status', ...data])).toMatchObject({ code: 0 });
    const doctor = await runCli(['doctor', '--json', ...data], {
      env: { GIT_MEMORY_MCP_TLS_CERT: server.cert, GIT_MEMORY_MCP_TLS_KEY: server.key },
    });
    const { checks } = JSON.parse(doctor.stdout) as { checks: { check: string; detail: string }[] };
    expect(checks).toContainEqual(
      expect.objectContaining({ check: 'certificate', detail: 'good for 29 days more' }),
    );
    expect(checks).toContainEqual(
      expect.objectContaining({
        check: 'coordinator',
        detail: expect.stringContaining('answers at https:') as string,
      }),
    );
    const stdio = await connectStdio(process.execPath, [
      mainPath,
      'stdio',
      '--url',
      coordinator.url,
      ...data,
    ]);
    const { tools } = await stdio.listTools();
    expect(tools.length).toBeGreaterThan(0);
    await stdio.close();
    const refused = await runCli(['status', '--url', coordinator.origin]);
    expect(refused).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('GIT_MEMORY_MCP_CA') as string,
    });
    const env = { GIT_MEMORY_MCP_CA: authority.cert };
    expect(await runCli(['status', '--url', coordinator.origin], { env })).toMatchObject({ code: 0 });
  });

  it.each([
    [
      'the key of another',
      () => ['--tls-cert', server.cert, '--tls-key', client.key],
      'tls.key does not belong',
    ],
    [
      'no such file',
      () => ['--tls-cert', join(folder, 'none.pem'), '--tls-key', server.key],
      'tls.cert cannot be read',
    ],
    [
      'a key as certificate',
      () => ['--tls-cert', server.key, '--tls-key', server.key],
      'tls.cert holds no certificate',
    ],
    [
      'a certificate as key',
      () => ['--tls-cert', server.cert, '--tls-key', server.cert],
      'tls.key holds no private key',
    ],
    ['half of it', () => ['--tls-cert', server.cert], 'tls.key is missing'],
  ])('is refused at the start: %s', async (_, args, problem) => {
    const { code, stderr } = await runCli([
      'start',
      '--port',
      '0',
      '--data',
      join(folder, 'refused'),
      ...args(),
    ]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining(problem) as string });
    expect(stderr).not.toContain((await readFile(server.key, 'utf8')).split('\n')[1]);
  });

  it('is taken when it changes, and the command line follows', async () => {
    const place = await makeCertificate(folder, { name: 'live', issuer: authority });
    const next = await makeCertificate(folder, { name: 'next', issuer: authority });
    const args = ['--tls-cert', place.cert, '--tls-key', place.key];
    await using coordinator = await startCoordinator({ servers: 1, args });
    const stdio = await connectStdio(process.execPath, [mainPath, 'stdio', '--data', coordinator.dataDir]);
    await stdio.listTools();
    await rename(next.cert, place.cert);
    await rename(next.key, place.key);
    const leaf = (await readFile(place.cert, 'utf8')).trim();
    await eventually('the new certificate', async () => {
      const text = await readFile(join(coordinator.dataDir, 'coordinator.json'), 'utf8');
      return (JSON.parse(text) as { certificate: string }).certificate.trim() === leaf || undefined;
    });
    expect(await runCli(['status', '--data', coordinator.dataDir])).toMatchObject({ code: 0 });
    expect((await stdio.listTools()).tools.length).toBeGreaterThan(0);
    await stdio.close();
  });
});

describe.skipIf(!canMake)('certificates of clients', () => {
  const start = (clientAuth: string, clientCa = true) =>
    startCoordinator({
      args: [...tlsArgs(), '--auth', 'required'],
      config: { tls: { clientAuth, ...(clientCa && { clientCa: authority.cert }) } },
    });
  const makeKey = async (data: string, ...more: string[]): Promise<string> => {
    const args = ['keys', 'create', '--name', 'x', '--role', 'viewer', '--data', data, ...more, '--json'];
    return (JSON.parse((await runCli(args)).stdout) as { key: string }).key;
  };
  const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

  it.each([true, false])('bind a key to themselves, with CAs named: %s', async (clientCa) => {
    await using coordinator = await start('request', clientCa);
    const bound = await makeKey(coordinator.dataDir, '--certificate', client.cert);
    const free = await makeKey(coordinator.dataDir);
    const url = `${coordinator.origin}/api/v1/status`;
    const statusOf = async (key: string, shown?: MadeCertificate) =>
      (await ask(url, { headers: bearer(key), ...(shown && (await pair(shown))) })).status;
    expect(await statusOf(bound, client)).toBe(200);
    expect(await statusOf(bound)).toBe(401);
    expect(await statusOf(bound, server)).toBe(401);
    expect(await statusOf(free)).toBe(200);
    expect(await statusOf(free, client)).toBe(200);
    const self = await makeCertificate(folder, { name: 'self' });
    const ofSelf = await makeKey(coordinator.dataDir, '--certificate', self.cert);
    // Where no CA is named, holding the key of the certificate is all there is to show.
    expect(await statusOf(ofSelf, self)).toBe(clientCa ? 401 : 200);
  });

  it('are needed for a connection where they are required, of the command line too', async () => {
    await using coordinator = await start('require');
    const url = `${coordinator.origin}/healthz`;
    await expect(ask(url)).rejects.toThrow();
    const self = await makeCertificate(folder, { name: 'stranger' });
    await expect(ask(url, await pair(self))).rejects.toThrow();
    expect((await ask(url, await pair(client))).status).toBe(200);
    const args = ['status', '--data', coordinator.dataDir];
    expect(await runCli(args)).toMatchObject({ code: 5 });
    const env = { GIT_MEMORY_MCP_CERT: client.cert, GIT_MEMORY_MCP_CERT_KEY: client.key };
    expect(await runCli(args, { env })).toMatchObject({ code: 0 });
  });
});

it.each([
  [[], true],
  [['--tls-cert', 'cert', '--tls-key', 'key'], false],
  [['trusted'], false],
])('says that keys travel in the clear, unless told otherwise: %j', async (given, isTold) => {
  if (given.length > 1 && !canMake) return;
  const isProxied = given[0] === 'trusted';
  await using coordinator = await startCoordinator({
    args: ['--auth', 'required', '--host', '0.0.0.0', ...(given.length > 1 ? tlsArgs() : [])],
    config: { ...(isProxied && { trustedProxies: ['10.0.0.0/8'] }) },
  });
  expect(coordinator.output().includes('keys travel in the clear')).toBe(isTold);
});
