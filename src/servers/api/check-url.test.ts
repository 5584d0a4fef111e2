import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createServerHarness } from '../../../test/fixtures/server-harness.ts';
import httpClient from './http-client.ts';

const run = promisify(execFile);

/** Key and certificate for localhost, good for 30 days, or undefined without OpenSSL. */
async function selfSigned(folder: string): Promise<{ key: string; cert: string } | undefined> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  try {
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '30',
      ...subject,
      '-keyout',
      key,
      '-out',
      cert,
    ]);
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    return undefined;
  }
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}

it('reports the certificate even when it does not verify', async (test) => {
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  const identity = await selfSigned(folder);
  await rm(folder, { recursive: true });
  if (!identity) test.skip('openssl is not installed');
  const server = createServer(identity ?? {}, (_, response) => void response.end('hi')).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  try {
    await using harness = await createServerHarness(httpClient, { allowHosts: ['localhost'] });
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    const report = await harness.call('check_url', { url });
    expect(report).toMatchObject({
      up: false,
      problem: expect.stringMatching(/SELF_SIGNED/),
      tls: { valid: false, subject: 'localhost', altNames: ['DNS:localhost'], daysLeft: 29 },
    });
    await expect(harness.call('http_request', { url })).rejects.toThrow(/SELF_SIGNED/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
